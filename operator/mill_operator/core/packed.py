"""JSON that is kept but seldom looked at: as compressed text, since as objects it takes many times its size."""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Self

FAST = 1
"""The level of zlib: a megabyte takes a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A JSON value, never changed."""

    size: int
    """Bytes of its text, in UTF-8 and without blanks."""
    data: bytes

    @classmethod
    def of(cls, value: Any) -> Self:
        """Take a value."""
        return cls.of_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False))

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Take a value that is text already."""
        data = text.encode("utf-8", "surrogatepass")
        return cls(len(data), zlib.compress(data, FAST))

    def value(self) -> Any:
        """Return the value, made anew each time."""
        return json.loads(zlib.decompress(self.data))


NOTHING = Packed.of({})
