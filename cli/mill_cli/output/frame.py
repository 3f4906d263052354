"""What a terminal shows of a rollout while it is in progress: a header, the rows, and notices. Pure.

Failed services come first, and the line about rows for which there is no room counts them by what became of them, so
that no failure is hidden. The other rows stay in the order of the file while all of them have room.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mill_cli.output.cells import Line, pad, width
from mill_cli.output.glyphs import Glyphs
from mill_cli.output.rows import Row, count

FRAME_SECONDS: Final = 0.1
WITH_TIMES: Final = 69
"""Columns from which times are shown."""
WITH_BARS: Final = 89
"""Columns from which bars are shown, of services with several replicas."""
BAR: Final = 10
LONGEST_NAME: Final = 32
NARROW_NAME: Final = 16
LINES_WITH_HEADER: Final = 5
STYLE: Final[Mapping[str, str]] = {
    "healthy": "green",
    "stopped": "green",
    "settling": "green",
    "suspect": "yellow",
    "failed": "red",
}
"""Styles by the kind of a row; others are the terminal's own."""
URGENCY: Final = ("failed", "suspect", "starting", "waiting", "settling", "healthy", "stopped")
"""The kinds of rows in the order in which they are shown where not all have room."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown at a moment."""

    rows: Sequence[Row]
    """In the order of the file."""
    notices: Sequence[str]
    now: float
    began_at: float
    """The moment at which the rollout began."""


def frame(shown: Shown, size: tuple[int, int], glyphs: Glyphs) -> list[Line]:
    """Return the lines for a number of columns and lines."""
    columns, lines = size
    has_header = len(shown.rows) > 1 and lines >= LINES_WITH_HEADER
    room = max(1, lines - 1 - has_header - len(shown.notices))  # the last line is for the cursor
    rows = sorted(shown.rows, key=lambda row: row.kind != "failed")
    hidden: list[Row] = []
    if len(rows) > room:
        rows.sort(key=lambda row: URGENCY.index(row.kind))
        rows, hidden = rows[: room - 1], rows[room - 1 :]
    grid = _Grid(shown, columns, glyphs)
    spinner = grid.spinner
    out: list[Line] = []
    if has_header:
        seconds = _time(shown.now - shown.began_at)
        out.append(((spinner, "cyan"), (" ", ""), *_counts(shown.rows, seconds, columns - 2, glyphs)))
    out += (grid.line(row) for row in rows)
    if hidden:
        counts = glyphs.between.join(f"{number} {kind}" for kind, number in count(hidden).items())
        style = "red" if any(row.kind == "failed" for row in hidden) else "dim"
        known = f" ({counts})" if counts else ""
        out.append(((glyphs.cut(f"  and {len(hidden)} more{known}", columns), style),))
    out += (((spinner, "cyan"), (" ", ""), (glyphs.cut(each, columns - 2), "yellow")) for each in shown.notices)
    return out


def _counts(rows: Sequence[Row], seconds: str, columns: int, glyphs: Glyphs) -> Iterator[tuple[str, str]]:
    """Yield `24 healthy · 8 failed · 8 starting · 25s`, as much of it as has room."""
    parts = [(f"{number} {kind}", STYLE.get(kind, "")) for kind, number in count(rows).items()]
    used = 0
    for at, (text, style) in enumerate([*parts, (seconds, "dim")]):
        between = glyphs.between if at else ""
        used += width(between) + width(text)
        if used > columns:
            return
        yield between, "dim"
        yield text, style


class _Grid:
    """Rows in columns, each as wide as the widest of all rows needs it, so that they stay where they are."""

    def __init__(self, shown: Shown, columns: int, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self._now = shown.now
        self._columns = columns
        self.spinner = glyphs.spinner[int(shown.now / FRAME_SECONDS) % len(glyphs.spinner)]
        rows = shown.rows
        narrow = min(NARROW_NAME, columns // 2 - 3)
        self._most = min(LONGEST_NAME, columns * 3 // 10) if columns >= WITH_TIMES else narrow
        self._name = max((width(self._short(row)) for row in rows), default=0)
        has_several = any(row.desired not in (None, 1) for row in rows)  # of a single replica, the mark says as much
        self._count = max(len(_count(row)) for row in rows) if has_several else 0
        self._bar = BAR if columns >= WITH_BARS and has_several else 0
        self._time = max([3, *(len(self._took(row)) for row in rows)]) if columns >= WITH_TIMES else 0

    def line(self, row: Row) -> Line:
        """Return the line of a row."""
        style = STYLE.get(row.kind, "")
        mark = (self._glyphs.bad if row.kind == "failed" else self._glyphs.good) if row.judged else self.spinner
        spans = [(mark, style if row.judged else "cyan"), (f" {pad(self._short(row), self._name)}  ", "")]
        if self._bar:
            spans += [*self._drawn_bar(row), ("  ", "")]
        if self._count:
            spans.append((f"{_count(row):>{self._count}}  ", ""))
        if self._time:
            spans.append((f"{self._took(row):>{self._time}}  ", "dim"))
        room = self._columns - sum(width(text) for text, _ in spans)
        return (*spans, (self._glyphs.cut(row.text_at(self._now), room), style))

    def _short(self, row: Row) -> str:
        return self._glyphs.cut_name(row.name, self._most)

    def _took(self, row: Row) -> str:
        return _time((self._now if row.until is None else row.until) - row.since)

    def _drawn_bar(self, row: Row) -> Line:
        """Return a bar of the healthy replicas among the desired ones; blanks for a single one."""
        if not row.desired or row.desired == 1:
            return ((" " * BAR, ""),)
        full = int(BAR * min(1.0, row.healthy / row.desired))
        style = STYLE.get(row.kind, "cyan")
        return ((self._glyphs.full * full, style), (self._glyphs.empty * (BAR - full), "dim"))


def _count(row: Row) -> str:
    return "" if row.desired is None else f"{row.healthy}/{row.desired}"


def _time(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole}s" if whole < 60 else f"{whole // 60}m{whole % 60:02}s"
