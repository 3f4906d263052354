"""Texts that fit into the column of a table: at most `SUMMARY_LENGTH` characters, whatever fails."""

from collections.abc import Sequence
from typing import Final

from mill_operator.core.limits import SUMMARY_LENGTH

_MARK: Final = "…"
_FIRST_NAMES: Final = 5


def first_names(names: Sequence[str]) -> str:
    """Return the first five names, and the number of the others: `a, b, c, d, e and 2 more`."""
    others = len(names) - _FIRST_NAMES
    return ", ".join(names[:_FIRST_NAMES]) + (f" and {others} more" if others > 0 else "")


def first_that_fits(text: str, *others: str) -> str:
    """Return the first text that fits, or else the last one."""
    return next((each for each in (text, *others) if len(each) <= SUMMARY_LENGTH), (text, *others)[-1])


def fitted(text: str, end: str = "") -> str:
    """Return a text and its end; the text is cut if both do not fit."""
    room = SUMMARY_LENGTH - len(end)
    return (text if len(text) <= room else f"{text[: room - len(_MARK)].rstrip()}{_MARK}") + end


def names_that_fit(begin: str, names: Sequence[str], end: str = "") -> str:
    """Return names between two texts: all, or as many as fit and the number of the others: `api, web, … (6 more)`."""
    text = f"{begin}{first_names(names)}{end}"
    if len(text) <= SUMMARY_LENGTH:
        return text
    for count in range(min(len(names), SUMMARY_LENGTH) - 1, 0, -1):
        text = f"{begin}{', '.join(names[:count])}, {_MARK} ({len(names) - count} more){end}"
        if len(text) <= SUMMARY_LENGTH:
            return text
    others = len(names) - 1
    return fitted(f"{begin}{names[0] if names else ''}", (f" ({others} more)" if others > 0 else "") + end)
