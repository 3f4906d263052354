"""JSON that is kept but seldom read: as compressed text, since as objects it takes many times its size."""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Self

FAST = 1
"""zlib's level: a megabyte takes a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An immutable JSON value."""

    size: int
    """Bytes of the value's text, in UTF-8 and without blanks."""
    data: bytes

    @classmethod
    def of(cls, value: Any) -> Self:
        """Pack a value."""
        return cls.of_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False))

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Pack JSON text."""
        data = text.encode("utf-8", "surrogatepass")
        return cls(len(data), zlib.compress(data, FAST))

    def value(self) -> Any:
        """Unpack the value."""
        return json.loads(zlib.decompress(self.data))


NOTHING = Packed.of({})
