"""Words for people: pydantic's findings, and texts that are cut."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")

LONGEST_PART: Final = 60
"""Characters of each part of a place: a key of JSON may be as long as the body."""
LONGEST_PROBLEM: Final = 300
"""Characters of one problem."""
LONGEST_PROBLEMS: Final = 7 * 1024
"""Characters of all problems that are told, so that how many there are besides fits into the error, too."""


def problem(found: Mapping[str, Any]) -> str:
    """Say where something is wrong and what is allowed there, never what was sent: `query.tail: input should be …`."""
    first, _, rest = str(found["msg"]).partition(" ")
    message = f"{first if first.isupper() else first.lower()} {rest}".rstrip()
    return f"{'.'.join(cut(str(each), LONGEST_PART) for each in found['loc'])}: {message}"


def some_of(found: Sequence[T], most: int, setting: str, words: Callable[[T], str]) -> str:
    """Return `words` of so many problems, or of those that fit, and how many there are besides.

    `setting` is what sets `most`, and is named where it counts.
    """
    told: list[str] = []
    room = LONGEST_PROBLEMS
    for each in found[:most]:
        text = cut(words(each), LONGEST_PROBLEM)
        room -= len(text) + len("; ")
        if room < 0:
            break
        told.append(text)
    if further := len(found) - len(told):
        told.append(f"and {further} more" + (f" ({most} is the limit by {setting})" if len(told) == most else ""))
    return "; ".join(told)


def cut(text: str, longest: int) -> str:
    """Return the beginning of a text, with a mark where it was longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
