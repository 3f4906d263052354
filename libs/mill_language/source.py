"""The text of a `.mill` file, and the conversion of byte offsets into lines and columns."""

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A range of bytes, end excluded."""

    start: int
    end: int


class Position(NamedTuple):
    """Line and column, counted from 1. Columns count characters."""

    line: int
    column: int


class Source:
    """The bytes of one file and its name. Lines are found when a position is needed first."""

    def __init__(self, data: bytes, filename: str) -> None:
        self.data = data
        self.filename = filename

    def text(self, span: Span) -> str:
        """Return the text of a span."""
        return self.data[span.start : span.end].decode("utf-8", "replace")

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        at = self.data.find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.data.find(b"\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """Return the line and column of a byte."""
        offset = min(max(offset, 0), len(self.data))
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        return Position(line, len(self.data[start:offset].decode("utf-8", "replace")) + 1)

    def line(self, number: int) -> str:
        """Return a line by its number, without its end."""
        return self.text(self.line_span(number)).rstrip("\r")

    def line_span(self, number: int) -> Span:
        """Return the span of a line, without its newline."""
        starts = self._line_starts
        if not 1 <= number <= len(starts):
            return Span(len(self.data), len(self.data))
        end = starts[number] - 1 if number < len(starts) else len(self.data)
        return Span(starts[number - 1], end)

    def line_at(self, offset: int) -> Span:
        """Return the span of the line that contains a byte, without its newline."""
        return self.line_span(bisect_right(self._line_starts, min(offset, len(self.data))))

    def same_line(self, start: int, end: int) -> bool:
        """Whether no line ends between two offsets."""
        return self.data.find(b"\n", start, end) < 0
