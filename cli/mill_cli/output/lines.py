"""Events → the lines of plain output.

Plain lines are read later, from top to bottom, so they keep the file's order: a later service's lines wait for the
verdicts of the services before it, though not for long. The time is an argument.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.failures import detail_lines, read_failure
from mill_cli.output.numbers import seconds
from mill_cli.output.text import one_line

HOLD_SECONDS: Final = 10.0
"""Seconds for which a line waits for earlier services: longer than a start on a busy machine."""
VERDICTS: Final = ("healthy", "stopped")
DETAILED: Final = ("pulling", "starting", "suspect", "replaced", "started", "waiting", "settled")


@dataclass(frozen=True, slots=True)
class Messages:
    """The last lines of an operation."""

    good: str
    bad: str

    def last_line(self, data: dict[str, Any]) -> str:
        """Return the line of the event `done`."""
        if not data.get("success"):
            return f"  {self.bad}"
        elapsed = data.get("elapsed")
        return f"  {self.good} ({seconds(elapsed)})" if isinstance(elapsed, int | float) else f"  {self.good}"


DEPLOY: Final = Messages("deployed", "deploy finished with errors")
RESTART: Final = Messages("restarted", "restart finished with errors")
ROLLBACK: Final = Messages("rolled back", "rollback finished with errors")


def line(event: str, data: dict[str, Any], width: int) -> str | None:
    """Return the line of an event, if it has one; `width` is that of the longest service name."""
    text = event_text(event, data)
    return None if text is None else prefix(data.get("service"), width) + text


def prefix(service: Any, width: int) -> str:
    """Return the beginning of a line, about a service or about none."""
    return f"  {one_line(str(service)) + ':':<{width + 1}} " if service else "  "


def event_text(event: str, data: dict[str, Any]) -> str | None:
    """Return the text of an event without its service, if it has one."""
    phase = data.get("phase")
    if event == "failed":
        return f"failed: {one_line(str(data.get('reason') or 'unknown'))}"
    if not phase or phase in DETAILED:
        return None
    if phase == "scheduled":
        return f"scheduled on {one_line(str(data.get('node') or 'unknown'))}"
    return one_line(str(phase))


def details(data: dict[str, Any]) -> Iterator[str]:
    """Yield the details of a failure: evidence, suggestion and code."""
    for label, text in detail_lines(read_failure(data)):
        yield f"    {label} {text}".rstrip()


class LineOrderer:
    """Keeps plain lines in the order of the services in the file."""

    def __init__(self, services: Sequence[str], messages: Messages) -> None:
        self._order = list(services)
        self._messages = messages
        self._width = max(map(len, services), default=0)
        self._judged: set[str] = set()
        self._held: list[tuple[float, str, str]] = []
        """Moment at which it must be printed, service, line; in the order of arrival."""

    def push(self, event: str, data: dict[str, Any], now: float) -> list[str]:
        """Add an event and return the lines to print now."""
        if event == "done":
            return [*self.rest(), self._messages.last_line(data)]
        service, text = data.get("service"), line(event, data, self._width)
        if text is None:
            return self.tick(now)
        if not isinstance(service, str):
            return [*self.rest(), text]
        if service not in self._order:
            self._order.append(service)
        self._held.append((now + HOLD_SECONDS, service, text))
        if event == "failed" or data.get("phase") in VERDICTS:
            self._judged.add(service)
        return self.tick(now)

    def tick(self, now: float) -> list[str]:
        """Return the lines whose turn has come, or that have waited for `HOLD_SECONDS`."""
        expired = {service for until, service, _ in self._held if until <= now}
        front = next((name for name in self._order if name not in self._judged), None)
        turn = self._order[: self._order.index(front) + 1] if front is not None else self._order
        return self._release(lambda service: service in turn or service in expired)

    def rest(self) -> list[str]:
        """Return the lines that wait for earlier services."""
        return self._release(lambda _: True)

    def holds(self, service: str) -> bool:
        """Return whether a line of a service waits for earlier services."""
        return any(held == service for _, held, _ in self._held)

    @property
    def due(self) -> float | None:
        """The moment at which the first held line must be printed; None without one."""
        return min((until for until, _, _ in self._held), default=None)

    def _release(self, ready: Callable[[str], bool]) -> list[str]:
        out = [each for each in self._held if ready(each[1])]
        self._held = [each for each in self._held if not ready(each[1])]
        out.sort(key=lambda each: self._order.index(each[1]))  # stable: a service's own lines keep their order
        return [text for _, _, text in out]
