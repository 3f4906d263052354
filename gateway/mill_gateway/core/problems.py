"""Problems of a request, such as the findings of pydantic, as text of limited length."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")

LONGEST_PART: Final = 60
"""Characters of each part of a place: a key of JSON may be as long as the body."""
LONGEST_PROBLEM: Final = 300
"""Characters of one problem."""
LONGEST_PROBLEMS: Final = 7 * 1024
"""Characters of all problems together. It leaves room in the error for the number of those that are left out."""


def problem(found: Mapping[str, Any]) -> str:
    """Return the place of a finding and what it accepts, never the sent value: `query.tail: input should be …`."""
    first, _, rest = str(found["msg"]).partition(" ")
    message = f"{first if first.isupper() else first.lower()} {rest}".rstrip()
    return f"{'.'.join(cut(str(each), LONGEST_PART) for each in found['loc'])}: {message}"


def join(found: Sequence[T], most: int, setting: str, describe: Callable[[T], str]) -> str:
    """Return the descriptions of at most `most` problems, as many as fit, and the number of the others.

    The text names `setting`, the variable of `most`, if that was the limit.
    """
    texts: list[str] = []
    room = LONGEST_PROBLEMS
    for each in found[:most]:
        text = cut(describe(each), LONGEST_PROBLEM)
        room -= len(text) + len("; ")
        if room < 0:
            break
        texts.append(text)
    if others := len(found) - len(texts):
        texts.append(f"and {others} more" + (f" ({most} is the limit by {setting})" if len(texts) == most else ""))
    return "; ".join(texts)


def cut(text: str, longest: int) -> str:
    """Return the beginning of a text, with a mark if it was longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
