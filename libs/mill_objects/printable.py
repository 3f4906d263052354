"""Texts of others, fit for a status, a log line or a terminal: cut first, then without what a terminal obeys.

Foreign text is whatever we did not write: a program's output, a registry's error, an event, an object's name, an answer
of the API server. It is cut before anything else looks at it, so that nobody can make it expensive by its length.
"""

import re
import unicodedata
from typing import Final, Literal

SPARE: Final = 2
"""How many times as much is looked at as is kept: some of it is left out."""
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_CSI: Final = r"(?:\x1b\[|\x9b)[0-?]{0,64}+[ -/]{0,8}+[@-~]"
_OSC: Final = r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]{0,1024}+(?:\x07|\x1b\\|\x9c)"
TERMINAL_SEQUENCE: Final = re.compile(rf"{_OSC}|{_CSI}|\x1b(?:[ -/]{{1,8}}+[0-~]|[78=>])|.\x08")
"""What colors a text, moves the cursor or sets a title; and a character that is struck over by the next."""
LINE_END: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK: Final = re.compile(r"[^\S\t\n]")

_INVISIBLE: Final = frozenset({"Cc", "Cf"})
"""Control and format characters: Unicode's marks for the direction of writing are among the latter."""

Keep = Literal["beginning", "end"]


def printable(text: str) -> str:
    """Return a text in which a replacement character stands for each that is not printable, but for tabs and newlines.

    Unprintable are control characters (C0 and C1), format characters such as those that turn the direction of writing,
    and halves of surrogate pairs.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\t\n" else REPLACEMENT for each in text)


def visible(text: str) -> str:
    """Return a text without terminal sequences, control and format characters, but for tabs and newlines.

    Unlike with `printable` nothing stands in their place, so that a word which is colored, or has an invisible
    character in it, is found by who looks for it. Other blanks become plain ones.
    """
    if text.isprintable():
        return text
    text = _BLANK.sub(" ", TERMINAL_SEQUENCE.sub("", LINE_END.sub("\n", text)))
    return printable("".join(each for each in text if each in "\t\n" or unicodedata.category(each) not in _INVISIBLE))


def one_line(text: str, limit: int) -> str:
    """Return the beginning of a text as one visible line of at most `limit` bytes (UTF-8), with single blanks in it."""
    return _cut(" ".join(visible(text[: SPARE * limit]).split()), limit, "beginning")


def multi_line(text: str, limit: int, keep: Keep = "beginning") -> str:
    """Return the beginning, or the end, of a text: visible lines of at most `limit` bytes (UTF-8) altogether."""
    return _cut(visible(text[: SPARE * limit] if keep == "beginning" else text[-SPARE * limit :]), limit, keep)


def _cut(text: str, limit: int, keep: Keep) -> str:
    raw = text.encode()
    return (raw[:limit] if keep == "beginning" else raw[-limit:]).decode(errors="ignore") if len(raw) > limit else text
