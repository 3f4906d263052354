"""Words for people: pydantic's findings, and texts that are cut."""

from collections.abc import Mapping
from typing import Any, Final

LONGEST_PART: Final = 60
"""Characters of each part of a place: a key of JSON may be as long as the body."""


def problem(found: Mapping[str, Any]) -> str:
    """Say where something is wrong and what is allowed there, never what was sent: `query.tail: input should be …`."""
    first, _, rest = str(found["msg"]).partition(" ")
    message = f"{first if first.isupper() else first.lower()} {rest}".rstrip()
    return f"{'.'.join(cut(str(each), LONGEST_PART) for each in found['loc'])}: {message}"


def cut(text: str, longest: int) -> str:
    """Return the beginning of a text, with a mark where it was longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
