"""A rollout as plain lines: verdicts on standard output in the order of the file, notices on standard error."""

import time
from collections.abc import Sequence
from typing import Final

from mill_api.pausing import PAUSED
from mill_cli.connection.streams import ServerEvent
from mill_cli.event_queue import ObservedServices
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import LineOrderer, Messages, details
from mill_cli.output.notices import Notices
from mill_cli.output.task_lines import TASK, TaskLines
from mill_cli.output.text import one_line

RESULTS: Final = ("failed", "done")
"""The events that `--quiet` shows."""


class PlainRollout:
    """Printer of a rollout. Its user calls `print_due` after each change, and when `due` has come."""

    def __init__(self, services: Sequence[str], messages: Messages, options: Options) -> None:
        self._options = options
        self._orderer = LineOrderer(services, messages)
        # With --verbose the details of a failure are printed at once, and have more than a notice.
        width = max(map(len, services), default=0)
        self._notices = Notices(width, failures=not options.verbose)
        self._tasks = TaskLines(width)
        self._is_paused = False
        """Whether it has been said that the deployment is paused."""

    @property
    def needs_status(self) -> bool:
        """Whether the status of the services is needed."""
        return self._notices.needs_status(time.monotonic())

    @property
    def due(self) -> float | None:
        """The moment at which there may be a line to print, by `time.monotonic`; None without one."""
        return min((each for each in (self._orderer.due, self._notices.due) if each is not None), default=None)

    def apply(self, event: ServerEvent) -> None:
        """Print an event, or hold it."""
        if self._options.quiet and event.name not in RESULTS:
            return
        now = time.monotonic()
        if event.data.get("code") == PAUSED:
            self._note_pause()
            return
        self._is_paused = False
        if event.name == TASK:
            if (line := self._tasks.line(event.data)) is not None:
                screen.note(line)
            return
        if not self._options.quiet:
            self._notices.apply(event.name, event.data, now)
        if event.last:
            self.print_rest()
        self._print(self._orderer.push(event.name, event.data, now))
        if event.name == "failed" and self._options.verbose:
            _note_details(event)

    def observe(self, observed: ObservedServices) -> None:
        """Apply a status."""
        self._notices.observe(observed.services, time.monotonic(), observed.server_time)

    def print_due(self) -> None:
        """Print what is due."""
        now = time.monotonic()
        self._print(self._orderer.tick(now))
        self._note(now)

    def print_rest(self) -> None:
        """Print the lines that wait for others."""
        self._print(self._orderer.rest())
        self._note(time.monotonic())

    def _note_pause(self) -> None:
        if not self._is_paused:
            screen.note("  waiting: paused (`mill resume` goes on)")
        self._is_paused = True

    def _print(self, lines: Sequence[str]) -> None:
        for line in lines:
            screen.out(line)

    def _note(self, now: float) -> None:
        for line in self._notices.lines(now, self._orderer.holds):
            screen.note(line)


def _note_details(event: ServerEvent) -> None:
    service, *more = event.data.get("service"), *details(event.data)
    if service and more:
        screen.note("\n".join([f"  {one_line(str(service))}:", *more]))
