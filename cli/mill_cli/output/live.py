"""A rollout on a terminal: a frame that is drawn in place while it is in progress, and the lines that stay."""

import contextlib
import os
import signal
import sys
import termios
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mill_cli.event_queue import ObservedServices
from mill_cli.output import screen
from mill_cli.output.cells import Line, paint
from mill_cli.output.closing import Closing
from mill_cli.output.frame import FRAME_SECONDS, Shown, frame
from mill_cli.output.glyphs import glyphs
from mill_cli.output.lines import Messages
from mill_cli.output.region import Region
from mill_cli.output.rows import Rows

QUIET_SECONDS: Final = 0.5
"""Seconds without an event before a notice says that the operator has not reacted yet."""


class LiveRollout:
    """Live display of a rollout. Its user calls `draw` when `due` has come."""

    def __init__(self, services: list[str], messages: Messages) -> None:
        self._rows = Rows(services)
        self._messages = messages
        self._colored = screen.colored()
        self._glyphs = glyphs(sys.stdout.encoding)
        self._region = Region(sys.stdout)
        self._restore = contextlib.ExitStack()
        """Restores the terminal."""
        self._began_at = time.monotonic()
        self._has_events = False
        self._operation: list[str] = []
        """Texts about no service."""
        self._done: Mapping[str, Any] | None = None
        """The event `done`."""
        self.due = self._began_at
        """The moment of the next frame, by `time.monotonic`."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the rows while the block runs, and print what stays at the end."""
        with contextlib.ExitStack() as self._restore:
            self._set_up_terminal()
            try:
                yield
            finally:
                self._region.clear()
                self._print(self._closing())

    def pause(self) -> None:
        """Stop the process as Ctrl-Z does, with the terminal restored."""
        self._region.clear()
        self._restore.close()
        signal.raise_signal(signal.SIGSTOP)
        self._set_up_terminal()

    def apply(self, event: str, data: dict[str, Any]) -> None:
        """Apply an event."""
        self._has_events = True
        now = time.monotonic()
        if event == "done":
            self._rows.finish(now)
            self._done = data
        elif (text := self._rows.apply(event, data, now)) is not None:
            self._operation.append(text)

    def observe(self, observed: ObservedServices) -> None:
        """Apply the services of a status: their replicas and windows, and how long the rollout has taken."""
        now = time.monotonic()
        self._rows.observe(observed.services, now, time.time())
        if observed.rollout_seconds is not None:
            self._began_at = now - observed.rollout_seconds

    def draw(self, *, connected: bool = True) -> None:
        """Draw the frame as it is now."""
        now, notices = time.monotonic(), []
        shown = self._rows.shown
        if not connected:
            notices.append("reconnecting; the rollout continues")
        elif not shown and not self._has_events and now - self._began_at > QUIET_SECONDS:
            notices.append(f"waiting for the operator ({int(now - self._began_at)}s)")
        columns, lines = self._size()
        drawn = frame(Shown(shown, notices, now, self._began_at), (columns, lines), self._glyphs)
        self._region.draw([paint(each, colored=self._colored) for each in drawn])
        self.due = now + FRAME_SECONDS

    def _closing(self) -> Iterator[Line]:
        """Yield the lines that stay."""
        closing, rows = Closing(self._size()[0], self._glyphs), self._rows.shown
        yield from closing.report(rows)
        for each in self._operation:
            yield from closing.operation(each)
        if self._done is not None:
            yield from closing.summary(rows, self._messages, self._done)

    def _print(self, lines: Iterable[Line]) -> None:
        for each in lines:
            sys.stdout.write(f"{paint(each, colored=self._colored)}\n")
        sys.stdout.flush()

    def _set_up_terminal(self) -> None:
        self._restore.enter_context(_without_echo(sys.stdout.fileno()))
        self._restore.callback(self._region.clear)

    def _size(self) -> tuple[int, int]:
        """Return the size of the window, less its last column, which terminals treat differently."""
        columns, lines = screen.size()
        return columns - 1, lines


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
