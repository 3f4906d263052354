"""A rollout on a terminal: rows that rich draws in place, and above them what stays."""

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
"""How long nothing need be said, though nothing is known yet."""


class LiveRollout:
    """Shows a rollout. Whoever has it calls `draw` whenever that is due."""

    def __init__(self, services: list[str], messages: Messages) -> None:
        self._rows = Rows(services)
        self._messages = messages
        # Where nobody wants colours, rich would still have what is bold.
        self._console = Console(color_system="auto" if screen.colored() else None, force_terminal=True)
        self._glyphs = UNICODE if self._console.encoding.startswith("utf") else ASCII
        self._taken = contextlib.ExitStack()
        """What is to be undone when it is over."""
        self._live: Live
        self._begun = time.monotonic()
        self._heard = False
        self._connected = True
        self.due = self._begun
        """When the next frame is to be drawn."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Have the rows on the terminal while the block runs; what was not printed of them by then is in the end."""
        with contextlib.ExitStack() as self._taken:
            self._take_terminal()
            try:
                yield
            finally:
                self._print(self._rows.rest())

    def pause(self) -> None:
        """Stop, as Ctrl-Z asks for, with the terminal as it was before."""
        self._taken.close()
        signal.raise_signal(signal.SIGSTOP)
        self._take_terminal()

    def take(self, event: str, data: dict[str, Any]) -> None:
        """Show an event."""
        self._heard = True
        if event == "done":
            style = "bold green" if data.get("success") else "bold red"
            self._print(self._rows.rest(), [Text(self._messages.last_line(data), style)])
            return
        text = self._rows.take(event, data, time.monotonic())
        self._print(self._rows.settle(), operation_lines(text, self._console) if text is not None else ())

    def count(self, services: Iterable[Mapping[str, Any]]) -> None:
        """Take what the status says of the services."""
        self._rows.count(services, time.monotonic())
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
            notices.append("reconnecting; the rollout goes on")
        elif not rows and not self._heard and now - self._begun > QUIET_SECONDS:
            notices.append("waiting for the operator")
        return frame(rows, notices, self._console.size, self._glyphs, now)

    def _print(self, rows: list[Row], more: Iterable[Text] = ()) -> None:
        """Print what stays above the rows that are left."""
        self._measure()
        lines = [*(each for row in rows for each in row_lines(row, self._rows.width, self._console)), *more]
        if lines:
            self._console.print(*lines, sep="\n")

    def _take_terminal(self) -> None:
        self._measure()
        self._taken.enter_context(_without_echo(sys.stdout.fileno()))
        # Each time another one: it does not forget where its lines were when it is over.
        self._live = Live(
            self,
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._taken.enter_context(self._live)

    def _measure(self) -> None:
        """See how large the window is now. What fills its last column is treated differently by every terminal."""
        columns, lines = screen.size()
        self._console.size = ConsoleDimensions(columns - 1, lines)


@contextlib.contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """Do not show what is typed: it would shift the lines. Whoever reads the terminal next has it."""
    try:
        before = termios.tcgetattr(terminal)
        foreground = os.tcgetpgrp(terminal) == os.getpgrp()
    except (termios.error, OSError):
        foreground = False
    if not foreground:  # who changes the terminal from the background is stopped
        yield
        return
    quiet = list(before)
    quiet[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
