"""A rollout on a terminal: rows that rich draws in place, below the lines that stay."""

import contextlib
import os
import signal
import sys
import termios
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.text import Text

from mill_cli.output import screen
from mill_cli.output.frame import ASCII, FRAME_SECONDS, UNICODE, frame, operation_lines, row_lines
from mill_cli.output.lines import Messages
from mill_cli.output.rows import Row, Rows

QUIET_SECONDS: Final = 0.5
"""Seconds without an event before a notice says that the operator has not reacted yet."""


class LiveRollout:
    """Live display of a rollout. Its user calls `draw` when `due` has come."""

    def __init__(self, services: list[str], messages: Messages) -> None:
        self._rows = Rows(services)
        self._messages = messages
        # Without colors, rich would still write bold text.
        self._console = Console(color_system="auto" if screen.colored() else None, force_terminal=True)
        self._glyphs = UNICODE if self._console.encoding.startswith("utf") else ASCII
        self._restore = contextlib.ExitStack()
        """Restores the terminal."""
        self._live: Live
        self._started_at = time.monotonic()
        self._has_events = False
        self._connected = True
        self.due = self._started_at
        """The moment of the next frame, by `time.monotonic`."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the rows while the block runs, and print those that are left at the end."""
        with contextlib.ExitStack() as self._restore:
            self._set_up_terminal()
            try:
                yield
            finally:
                self._print(self._rows.rest())

    def pause(self) -> None:
        """Stop the process as Ctrl-Z does, with the terminal restored."""
        self._restore.close()
        signal.raise_signal(signal.SIGSTOP)
        self._set_up_terminal()

    def apply(self, event: str, data: dict[str, Any]) -> None:
        """Show an event."""
        self._has_events = True
        if event == "done":
            style = "bold green" if data.get("success") else "bold red"
            self._print(self._rows.rest(), [Text(self._messages.last_line(data), style)])
            return
        text = self._rows.apply(event, data, time.monotonic())
        self._print(self._rows.settle(), operation_lines(text, self._console) if text is not None else ())

    def observe(self, services: Iterable[Mapping[str, Any]]) -> None:
        """Show the services of a status: their replicas and windows."""
        self._rows.observe(services, time.monotonic(), time.time())
        self._print(self._rows.settle())

    def draw(self, *, connected: bool = True) -> None:
        """Draw the rows as they are now."""
        self._connected = connected
        self._measure()
        self._live.refresh()
        self.due = time.monotonic() + FRAME_SECONDS

    def __rich__(self) -> Group:
        """Return the rows as they are now, for rich."""
        now, rows, notices = time.monotonic(), self._rows.shown, []
        if not self._connected:
            notices.append("reconnecting; the rollout continues")
        elif not rows and not self._has_events and now - self._started_at > QUIET_SECONDS:
            notices.append("waiting for the operator")
        return frame(rows, notices, self._console.size, self._glyphs, now)

    def _print(self, rows: list[Row], more: Iterable[Text] = ()) -> None:
        """Print the final lines of rows, above the rows that are left."""
        self._measure()
        lines = [*(each for row in rows for each in row_lines(row, self._rows.width, self._console)), *more]
        if lines:
            self._console.print(*lines, sep="\n")

    def _set_up_terminal(self) -> None:
        self._measure()
        self._restore.enter_context(_without_echo(sys.stdout.fileno()))
        # A new one each time: a stopped one keeps the position of its lines.
        self._live = Live(
            self,
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._restore.enter_context(self._live)

    def _measure(self) -> None:
        """Read the size of the window, less its last column, which terminals treat differently."""
        columns, lines = screen.size()
        self._console.size = ConsoleDimensions(columns - 1, lines)


@contextlib.contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """Do not echo what is typed, which would shift the lines. It stays in the input for the next program."""
    try:
        before = termios.tcgetattr(terminal)
        foreground = os.tcgetpgrp(terminal) == os.getpgrp()
    except (termios.error, OSError):
        foreground = False
    if not foreground:  # the system stops a background process that changes the terminal
        yield
        return
    quiet = list(before)
    quiet[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
