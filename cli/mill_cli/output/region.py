"""Lines at the end of a terminal's output that are drawn again in place."""

from collections.abc import Sequence
from typing import Final, TextIO

_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"
_ERASE_LINE: Final = "\x1b[K"
"""Erases from the cursor to the end of its line."""
_ERASE_BELOW: Final = "\x1b[J"
"""Erases from the cursor to the end of the screen."""


class Region:
    """The lines. None of them may be as wide as the terminal, which would wrap it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: Sequence[str] | None = None

    def draw(self, lines: Sequence[str]) -> None:
        """Draw the lines instead of those before. The cursor is hidden, at the end of the last one."""
        if lines != self._lines:
            drawn = "\n".join(f"{each}{_ERASE_LINE}" for each in lines)
            self._stream.write(f"{_HIDE_CURSOR}{self._to_first_line()}{drawn}{_ERASE_BELOW}")
            self._stream.flush()
            self._lines = tuple(lines)

    def clear(self) -> None:
        """Erase the lines. The cursor is visible, where the first of them was."""
        if self._lines is not None:
            self._stream.write(f"{self._to_first_line()}{_ERASE_BELOW}{_SHOW_CURSOR}")
            self._stream.flush()
            self._lines = None

    def _to_first_line(self) -> str:
        above = len(self._lines or ()) - 1
        return f"\r\x1b[{above}A" if above > 0 else "\r"
