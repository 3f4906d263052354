"""Characters that a terminal can display: all of Unicode, or ASCII."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mill_cli.output import cells


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that Mill draws with."""

    spinner: Sequence[str]
    good: str
    bad: str
    full: str
    empty: str
    end: str
    """The end of a text that is cut."""
    between: str
    """Between the parts of a line."""

    def legible(self, text: str) -> str:
        """Return a text in characters that the terminal can display."""
        return text if self is UNICODE else text.encode("ascii", "backslashreplace").decode()

    def cut(self, text: str, room: int) -> str:
        """Return a text that has room."""
        return cells.cut(self.legible(text), room, self.end)

    def cut_name(self, name: str, room: int) -> str:
        """Return a name that has room, cut in the middle."""
        return cells.cut_middle(self.legible(name), room, self.end)


UNICODE: Final = Glyphs("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "✓", "✗", "━", "─", "…", " · ")
ASCII: Final = Glyphs("-\\|/", "+", "x", "=", "-", "...", ", ")


def glyphs(encoding: str) -> Glyphs:
    """Return the characters for the encoding of an output."""
    return UNICODE if encoding.lower().startswith("utf") else ASCII
