"""Live rows on a terminal, drawn by rich."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mill_cli.output.lines import Words
from mill_cli.output.rows import Row, Rows

WIDE: Final = 60
"""Columns from which on there is room for bars and times."""
BAR: Final = 10
LOOK_SECONDS: Final = 0.5
"""How often replicas are counted."""
STYLE: Final = {"going": "", "suspect": "yellow", "good": "green", "bad": "red"}


class LiveRollout:
    """Shows a rollout, as a context manager. `look` returns the services of the status, or None if it cannot."""

    def __init__(
        self, services: list[str], words: Words, look: Callable[[], Iterable[Mapping[str, Any]] | None]
    ) -> None:
        self._rows = Rows(services)
        self._words = words
        self._look = look
        self._console = Console(highlight=False)
        self._glyphs = _Glyphs(unicode=self._console.encoding.lower().startswith("utf"))
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._notice = ""
        self._live = Live(get_renderable=self._render, console=self._console, transient=True, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.start()
        threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        with self._lock:
            rest = self._rows.rest() if error is not None else []
        self._print(rest)
        self._live.stop()

    def take(self, event: str, data: dict[str, Any]) -> None:
        """Show an event."""
        with self._lock:
            self._notice = ""
            if event == "done":
                rows, lines = self._rows.rest(), [self._words.last_line(data)]
            else:
                lines = self._rows.take(event, data, time.monotonic())
                rows = self._rows.settle()
        self._print(rows)
        for each in lines:
            good = event == "done" and data.get("success")
            self._say(each, "bold green" if good else "bold red")

    def notice(self, text: str) -> None:
        """Show something below the rows, until the next event."""
        self._notice = text

    def _count(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            services = self._look()
            with self._lock:
                if services is not None and not self._ended.is_set():
                    self._rows.count(services)

    def _print(self, rows: list[Row]) -> None:
        for row in rows:
            for each in row.lines:
                self._say(each, STYLE[row.mood] if each is row.lines[-1] else "")
            for each in row.more:
                self._say(each, "dim" if each.startswith("    |") else "")

    def _say(self, text: str, style: str) -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)

    def _render(self) -> RenderableType:
        with self._lock:
            rows = list(self._rows.shown)
        wide, room = self._console.width >= WIDE, max(1, self._console.height - 3)
        if len(rows) > room:
            rows = sorted(rows, key=lambda row: row.judged)
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=None if wide else 16)
        if wide:
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        if wide:
            table.add_column(no_wrap=True, justify="right")
        table.expand = True
        for row in rows[:room]:
            table.add_row(*self._cells(row, wide=wide))
        below = [f"  and {len(rows) - room} more"] if len(rows) > room else []
        below += [self._notice] if self._notice else []
        return Group(table, *(Text(each, style="dim", no_wrap=True, overflow="ellipsis") for each in below))

    def _cells(self, row: Row, *, wide: bool) -> list[RenderableType]:
        style = STYLE[row.mood]
        mark: RenderableType = self._glyphs.spinner if not row.judged else Text(self._glyphs.marks[row.mood], style)
        count = Text("" if row.desired is None else f"{row.healthy}/{row.desired}")
        text, took = Text(row.text, style), (row.until or time.monotonic()) - row.since
        if not wide:
            return [mark, Text(row.name), count, text]
        bar = self._glyphs.bar(row, style) if row.desired is not None else Text("")
        return [mark, Text(row.name), bar, count, text, Text(f"{took:.0f}s", "dim")]


class _Glyphs:
    """Characters that the terminal can show."""

    def __init__(self, *, unicode: bool) -> None:
        self.spinner = Spinner("dots" if unicode else "line")
        self.marks = {"good": "✓", "bad": "✗"} if unicode else {"good": "+", "bad": "x"}
        self._full, self._empty = ("━", "─") if unicode else ("=", "-")

    def bar(self, row: Row, style: str) -> Text:
        """Return how many of the wanted replicas are healthy."""
        share = min(1.0, row.healthy / row.desired) if row.desired else 1.0
        full = int(share * BAR)
        return Text(self._full * full, style or "cyan").append(self._empty * (BAR - full), "dim")
