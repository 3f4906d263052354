"""State of the live rows: the progress of each service of a rollout. Pure; the time is an argument.

A service has a row from its first event until its lines are printed above the rows. They are printed in the order of
the file, each after those of earlier services, so that the lines that stay are those of plain output.

A service that is healthy keeps its row until it has settled. Its window is in the status, which is newer than the
events: while it is open, the row follows the state of the status.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mill_cli.output.countdown import Countdown
from mill_cli.output.lines import details, event_text
from mill_cli.output.text import one_line, with_detail

SAID: Final = {"pulling": "pulling the image", "starting": "starting", "started": "starting", "waiting": "waiting"}
PENDING: Final = "Pending"
"""The state of a service that has not started yet."""
HEALTHY: Final = "healthy"
ENDS: Final = {"settled": HEALTHY, "stopped": "stopped"}
"""The phases that end well, and their texts."""


@dataclass(slots=True)
class Row:
    """A service."""

    name: str
    since: float
    until: float | None = None
    """The moment of the verdict."""
    text: str = "waiting"
    mood: str = "going"
    """`going`, `suspect`, `settling`, `good` or `bad`."""
    healthy: int = 0
    desired: int | None = None
    """Desired replicas; None until a status has them."""
    lines: list[str] = field(default_factory=list)
    """The lines that stay."""
    more: list[str] = field(default_factory=list)
    """The details of a failure, below those."""
    window: Countdown = field(default_factory=Countdown)
    has_been_healthy: bool = False

    @property
    def judged(self) -> bool:
        """Whether it has a verdict."""
        return self.mood in ("good", "bad")

    def apply(self, event: str, data: dict[str, Any], now: float) -> None:
        """Apply an event of this service."""
        phase, line = data.get("phase"), event_text(event, data)
        if line is not None:
            self.lines.append(line)
        if event == "failed":
            self._judge("bad", str(line), now)
            self.more = list(details(data))
        elif phase == HEALTHY and self.window.is_needed:
            self._settle()
        elif phase == HEALTHY or phase in ENDS:
            self._judge("good", ENDS.get(str(phase), HEALTHY), now)
            self.more = []
            self.healthy = self.desired or 0
        elif phase:
            self._progress("suspect" if phase == "suspect" else "going")
            self.text = line or one_line(str(data.get("message") or "")) or SAID.get(str(phase), one_line(str(phase)))

    def observe(self, service: Mapping[str, Any], now: float, wall: float | None) -> None:
        """Apply the status of the service, unless a verdict is newer."""
        replicas, state = service.get("replicas"), service.get("state")
        healthy, desired = _number(replicas, "healthy"), _number(replicas, "desired")
        if not self.judged or self.desired is None:
            self.healthy, self.desired = desired if self.mood in ("good", "settling") else healthy, desired
        self.window.read(service, now, wall)
        if self.mood == "suspect" and state == "Suspect" and service.get("message"):
            self.text = _suspicion(service)
        if self.judged or not self.has_been_healthy:
            return
        if not self.window.is_needed and self.mood == "settling":
            self._judge("good", HEALTHY, now)
        elif state == "Healthy":
            self._settle()
        elif state == "Suspect":
            self._progress("suspect")
            self.healthy, self.text = healthy, _suspicion(service)

    def text_at(self, now: float) -> str:
        """Return the text to show at a moment."""
        return self.window.text(now) if self.mood == "settling" else self.text

    def _settle(self) -> None:
        self._progress("settling")
        self.text, self.more, self.has_been_healthy = HEALTHY, [], True
        self.healthy = self.desired or 0

    def _progress(self, mood: str) -> None:
        self.mood, self.until = mood, None

    def _judge(self, mood: str, text: str, now: float) -> None:
        self.mood, self.text, self.until = mood, text, now


class Rows:
    """The rows of a rollout, in the order of the file."""

    def __init__(self, services: Sequence[str]) -> None:
        self.width = max(map(len, services), default=0)
        """Characters of the longest name in the file."""
        self._order = [one_line(each) for each in services]
        self._rows: dict[str, Row] = {}
        self._statuses: dict[str, Mapping[str, Any]] = {}
        """The last status of each service."""
        self._ahead: float | None = None
        """Seconds by which the time since 1970 is ahead of `now`."""
        self._passed: set[str] = set()
        """Services that later ones need not wait for: they are printed, or were healthy before."""

    def apply(self, event: str, data: dict[str, Any], now: float) -> str | None:
        """Apply an event other than `done`. Return the text of one that is about no service."""
        service = data.get("service")
        if not isinstance(service, str):
            return event_text(event, data)
        name = one_line(service)
        if data.get("phase") != "settled" or name in self._rows:  # else it had no window, and has been printed
            self._row(name, now).apply(event, data, now)
        return None

    def observe(self, services: Iterable[Mapping[str, Any]], now: float, wall: float | None = None) -> None:
        """Apply a status: replicas and windows. Add rows for services that have not started yet.

        `wall` is the time in seconds since 1970. The status may come from another release: malformed entries are
        ignored, unknown states count as in progress.
        """
        self._ahead = None if wall is None else wall - now
        for each in services:
            if not isinstance(each, Mapping):
                continue
            name, state = one_line(str(each.get("name"))), each.get("state")
            self._statuses[name] = each
            if name in self._rows:
                self._rows[name].observe(each, now, wall)
            elif state == PENDING and name in self._order and name not in self._passed:
                self._row(name, now)
            elif state == "Healthy":
                self._passed.add(name)

    def settle(self) -> list[Row]:
        """Remove and return the rows that can be printed for good."""
        out = []
        for name in self._order:
            row = self._rows.get(name)
            if row is None and name in self._passed:
                continue
            if row is None or not row.judged:
                break
            self._passed.add(name)
            out.append(self._rows.pop(name))
        return out

    def rest(self) -> list[Row]:
        """Remove and return all rows that are left, in order."""
        out = self.shown
        self._rows.clear()
        return out

    @property
    def shown(self) -> list[Row]:
        """The current rows, in the order of the file."""
        return [self._rows[name] for name in self._order if name in self._rows]

    def _row(self, name: str, now: float) -> Row:
        if name not in self._order:
            self._order.append(name)
        if name not in self._rows:
            self._rows[name] = Row(name, now)
            if name in self._statuses:
                wall = None if self._ahead is None else now + self._ahead
                self._rows[name].observe(self._statuses[name], now, wall)
        return self._rows[name]


def _suspicion(service: Mapping[str, Any]) -> str:
    return one_line(with_detail(str(service.get("message") or "suspect"), service.get("detail")))


def _number(replicas: Any, name: str) -> int:
    count = replicas.get(name) if isinstance(replicas, Mapping) else None
    return max(0, count) if isinstance(count, int) else 0
