"""Text measured in the cells of a terminal: how wide it is, cut to a width, or wrapped with a hanging indent.

A line is a sequence of spans, each with its style. Pure.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from mill_cli.output.screen import styled

Span = tuple[str, str]
"""A text and its style, such as `red` or `bold red`; an empty style is the terminal's own."""
Line = tuple[Span, ...]

_TOKEN: Final = re.compile(r"\s+|\S+")


def width(text: str) -> int:
    """Return the cells of a text: 2 for a wide character, 0 for one that combines with the character before it."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def head(text: str, room: int) -> str:
    """Return the longest beginning of a text that has room."""
    if text.isascii():
        return text[: max(0, room)]
    used = 0
    for at, character in enumerate(text):
        used += _cells(character)
        if used > room:
            return text[:at]
    return text


def cut(text: str, room: int, end: str) -> str:
    """Return a text that has room: its beginning and `end` if it is longer."""
    if width(text) <= room:
        return text
    end = end[: max(0, room)]
    return head(text, room - width(end)).rstrip() + end


def cut_middle(text: str, room: int, gap: str) -> str:
    """Return a text that has room: names that differ at their ends stay different."""
    if width(text) <= room:
        return text
    last = max(0, room - width(gap)) // 3
    return cut(text, room - last, gap) + head(text[::-1], last)[::-1]


def pad(text: str, room: int) -> str:
    """Return a text followed by as many blanks as fill the room."""
    return text + " " * (room - width(text))


def line_width(line: Line) -> int:
    """Return the cells of a line."""
    return sum(width(text) for text, _ in line)


def paint(line: Line, *, colored: bool) -> str:
    """Return a line as it is written to a terminal."""
    runs = groupby(line, key=lambda span: span[1])
    texts = (("".join(text for text, _ in spans), style) for style, spans in runs)
    return "".join(styled(text, style) if colored and style else text for text, style in texts).rstrip(" ")


def wrap(line: Line, first: Line, rest: Line, columns: int) -> Iterator[Line]:
    """Yield the lines of a text: `first` begins the first one, `rest` the others.

    Lines break between words; a word that is longer than a line is split.
    """
    begin, room = first, columns - line_width(first)
    spans: list[Span] = []
    blanks: list[Span] = []
    used = 0
    for token, style in _tokens(line):
        if token.isspace():
            blanks.append((token, style))
            continue
        gap = line_width(tuple(blanks))
        if used and used + gap + width(token) > room:
            yield (*begin, *spans)
            begin, room, spans, blanks, used, gap = rest, columns - line_width(rest), [], [], 0, 0
        spans += blanks
        used, blanks, word = used + gap, [], token
        while width(word) > max(1, room - used):
            piece = head(word, max(1, room - used)) or word[0]
            yield (*begin, *spans, (piece, style))
            word, begin, room, spans, used = word[len(piece) :], rest, columns - line_width(rest), [], 0
        spans.append((word, style))
        used += width(word)
    yield (*begin, *spans)


def _tokens(line: Sequence[Span]) -> Iterator[Span]:
    """Yield words and blanks."""
    for text, style in line:
        for found in _TOKEN.finditer(text.expandtabs(8)):
            yield found[0], style
