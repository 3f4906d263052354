"""Foreign text, made fit for a status, a log line or a terminal: cut, and without terminal sequences.

Foreign text is any text that Mill did not write: the output of a program, the error of a registry, an event, the name
of an object, a response of the API server. It is cut before anything else reads it, so that its length costs nothing.
"""

import re
import unicodedata
from typing import Final, Literal

SPARE: Final = 2
"""Factor of the text that is read to the text that is kept: some characters are left out."""
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_CSI: Final = r"(?:\x1b\[|\x9b)[0-?]{0,64}+[ -/]{0,8}+[@-~]"
_OSC: Final = r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]{0,1024}+(?:\x07|\x1b\\|\x9c)"
TERMINAL_SEQUENCE: Final = re.compile(rf"{_OSC}|{_CSI}|\x1b(?:[ -/]{{1,8}}+[0-~]|[78=>])|.\x08")
"""Sequences that color a text, move the cursor or set a title; and a character overstruck by the next."""
LINE_END: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK: Final = re.compile(r"[^\S\t\n]")

_INVISIBLE: Final = frozenset({"Cc", "Cf"})
"""Control and format characters. The latter include the marks for the direction of writing."""

Keep = Literal["beginning", "end"]


def printable(text: str) -> str:
    """Return a text with a replacement character for each unprintable one, except for tabs and newlines.

    Unprintable are control characters (C0 and C1), format characters such as those that change the direction of
    writing, and halves of surrogate pairs.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\t\n" else REPLACEMENT for each in text)


def visible(text: str) -> str:
    """Return a text without terminal sequences, control and format characters, except for tabs and newlines.

    Unlike `printable` it removes them, so that a search finds a word that is colored or has an invisible character in
    it. Other blanks become plain ones.
    """
    if text.isprintable():
        return text
    text = _BLANK.sub(" ", TERMINAL_SEQUENCE.sub("", LINE_END.sub("\n", text)))
    return printable("".join(each for each in text if each in "\t\n" or unicodedata.category(each) not in _INVISIBLE))


def one_line(text: str, limit: int) -> str:
    """Return the beginning of a text as one visible line with single blanks, of at most `limit` bytes (UTF-8)."""
    return _cut(" ".join(visible(text[: SPARE * limit]).split()), limit, "beginning")


def multi_line(text: str, limit: int, keep: Keep = "beginning") -> str:
    """Return the beginning or the end of a text as visible lines of at most `limit` bytes (UTF-8) in total."""
    return _cut(visible(text[: SPARE * limit] if keep == "beginning" else text[-SPARE * limit :]), limit, keep)


def _cut(text: str, limit: int, keep: Keep) -> str:
    raw = text.encode()
    return (raw[:limit] if keep == "beginning" else raw[-limit:]).decode(errors="ignore") if len(raw) > limit else text
