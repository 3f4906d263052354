"""Rows as rich draws them, and the lines that stay. Pure; time and size are arguments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mill_cli.output.lines import prefix
from mill_cli.output.rows import Row

FRAME_SECONDS: Final = 0.1
WIDE: Final = 59
"""Columns from which bars and times are shown."""
BAR: Final = 10
NARROW_NAME: Final = 16
NARROW_TEXT: Final = 16
"""Columns that a text needs to be wrapped below its own beginning."""
STYLE: Final = {"going": "", "suspect": "yellow", "settling": "green", "good": "green", "bad": "red"}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters that the terminal can display."""

    spinner: Sequence[str]
    good: str
    bad: str
    full: str
    empty: str
    end: str

    def cut(self, text: str, width: int) -> str:
        """Return a text cut to a width. Rich would end it with a character that some terminals lack."""
        legible = text if self is UNICODE else text.encode("ascii", "backslashreplace").decode()
        if cell_len(legible) <= width:
            return legible
        end = self.end[: max(0, width)]
        return set_cell_size(legible, max(0, width - len(end))).rstrip() + end


UNICODE: Final = Glyphs(Spinner("dots").frames, "✓", "✗", "━", "─", "…")
ASCII: Final = Glyphs(Spinner("line").frames, "+", "x", "=", "-", "...")


def frame(rows: Sequence[Row], notices: Sequence[str], size: tuple[int, int], glyphs: Glyphs, now: float) -> Group:
    """Return a frame for a number of columns and lines."""
    columns, lines = size
    spinner = Text(glyphs.spinner[int(now / FRAME_SECONDS) % len(glyphs.spinner)], "cyan")
    room = max(1, lines - 1 - len(notices))  # the last line is for the cursor
    hidden = len(rows) - room + 1 if len(rows) > room else 0
    grid = _grid(rows, columns, glyphs, now)
    rest = columns - sum(2 + (each.width or 0) for each in grid.columns[:-1])
    for row in sorted(rows, key=_urgency)[: len(rows) - hidden] if hidden else rows:
        style = STYLE[row.mood]
        mark = Text({"good": glyphs.good, "bad": glyphs.bad}[row.mood], style) if row.judged else spinner
        name, text = (
            Text.assemble(mark, " ", _name(row, columns, glyphs)),
            Text(glyphs.cut(row.text_at(now), rest), style),
        )
        if columns >= WIDE:
            grid.add_row(name, _bar(row, glyphs), _count(row), _took(row, now), text)
        else:
            grid.add_row(name, _count(row), text)
    below = [Text(glyphs.cut(f"  and {hidden} more", columns), "dim")] if hidden else []
    below += [Text.assemble(spinner, " ", (glyphs.cut(each, columns - 2), "yellow")) for each in notices]
    return Group(grid, *below)


def _urgency(row: Row) -> tuple[bool, bool]:
    """Return the sort key of a row in a small terminal: services in progress first, then those that settle."""
    return row.judged, row.mood == "settling"


def _grid(rows: Sequence[Row], columns: int, glyphs: Glyphs, now: float) -> Table:
    """Return the columns, each as wide as the widest of all rows needs it, so that they stay where they are."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=2 + max((cell_len(_name(row, columns, glyphs)) for row in rows), default=0))
    if columns >= WIDE:
        grid.add_column(width=BAR)
    grid.add_column(width=max([3, *(len(_count(row)) for row in rows)]), justify="right")
    if columns >= WIDE:
        grid.add_column(width=max([3, *(len(_took(row, now)) for row in rows)]), justify="right", style="dim")
    grid.add_column(no_wrap=True)  # takes the rest
    return grid


def _name(row: Row, columns: int, glyphs: Glyphs) -> str:
    return glyphs.cut(row.name, columns // 3 if columns >= WIDE else min(NARROW_NAME, columns // 2 - 3))


def _bar(row: Row, glyphs: Glyphs) -> Text:
    """Return a bar of the healthy replicas among the desired ones."""
    wanted = row.desired if row.desired is not None else 1
    full = int(BAR * min(1.0, row.healthy / wanted)) if wanted else BAR
    return Text.assemble((glyphs.full * full, STYLE[row.mood] or "cyan"), (glyphs.empty * (BAR - full), "dim"))


def _count(row: Row) -> str:
    return "" if row.desired is None else f"{row.healthy}/{row.desired}"


def _took(row: Row, now: float) -> str:
    seconds = int((now if row.until is None else row.until) - row.since)
    return f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60:02}s"


def row_lines(row: Row, names: int, console: Console) -> Iterator[Text]:
    """Yield the lines that stay of a row: those of plain output, and the details of a failure.

    `names` is the width of the longest name. Long lines are wrapped with a hanging indent.
    """
    for text in row.lines:
        yield from _hanging(_verdict(text), prefix(row.name, names), console)
    for text in row.more:
        if text.startswith("    |"):
            yield from _hanging(Text(text[6:], "dim"), "    | ", console, "    |   ")
        else:
            label, _, rest = text.strip().partition(" ")
            shown = Text.assemble((label, "bold"), f" {rest}") if label == "help:" else Text(f"{label} {rest}", "dim")
            yield from _hanging(shown, "    ", console, "          ")


def operation_lines(text: str, console: Console) -> Iterator[Text]:
    """Yield the lines of a text that is about no service."""
    return _hanging(_verdict(text), "  ", console)


def _hanging(text: Text, first: str, console: Console, rest: str = "") -> Iterator[Text]:
    """Yield the lines of a text: `first` begins the first one, `rest` or as many spaces the others."""
    rest = rest or " " * cell_len(first)
    if console.width - len(rest) < NARROW_TEXT:  # wrap the prefix, too
        text, first, rest = Text(first, text.style).append_text(text), "", "    "
    for at, line in enumerate(text.wrap(console, max(1, console.width - len(rest)))):
        line.rstrip()
        yield Text(rest if at else first, text.style).append_text(line)


def _verdict(text: str) -> Text:
    """Return a verdict such as `healthy` or `failed: …`, in its colors."""
    if text.startswith("failed:"):
        return Text.assemble(("failed:", "bold red"), text.removeprefix("failed:"))
    return Text.assemble((text, "green" if text == "healthy" else ""))
