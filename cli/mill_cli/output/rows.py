"""State of a rollout's services on a terminal, from its events and from the status. Pure; the time is an argument.

A service has a row from its first event on. One that was healthy before and stays as it is has none.

A service that is healthy is shown as settling until its window is over. The window is in the status, which is newer
than the events: while it is open, the row follows the state of the status.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mill_cli.output.countdown import Countdown
from mill_cli.output.failures import Failure, read_failure
from mill_cli.output.lines import event_text
from mill_cli.output.task_lines import TASK, task_text
from mill_cli.output.text import one_line, with_detail
from mill_cli.output.unready import unready_text

SAID: Final = {"pulling": "pulling the image", "starting": "starting", "started": "starting", "waiting": "waiting"}
PENDING: Final = "Pending"
"""The state of a service that has not started yet."""
HEALTHY: Final = "healthy"
ENDS: Final = {"settled": HEALTHY, "stopped": "stopped"}
"""The phases that end well, and their texts."""
TASK_KINDS: Final = {"waiting": "waiting", "succeeded": "healthy", "failed": "failed"}
"""The kinds of the rows of tasks by their states; others are starting."""
KINDS: Final = ("healthy", "stopped", "settling", "failed", "suspect", "starting", "waiting")
"""What `Row.kind` can be, in the order in which rows are counted."""


@dataclass(slots=True)
class Row:
    """A service, or a task that runs in the rollout."""

    name: str
    since: float
    until: float | None = None
    """The moment of the verdict."""
    text: str = "waiting"
    kind: str = "waiting"
    """One of `KINDS`."""
    healthy: int = 0
    desired: int | None = None
    """Desired replicas; None until a status has them."""
    elapsed: float | None = None
    """Seconds from the beginning of the rollout until the service was healthy or had stopped; None if not known."""
    failure: Failure | None = None
    window: Countdown = field(default_factory=Countdown)
    has_been_healthy: bool = False
    is_task: bool = False
    progress: str = ""
    """The text of the last event, in place of which that of a status may be shown."""

    @property
    def judged(self) -> bool:
        """Whether it has a verdict."""
        return self.kind in ("healthy", "stopped", "failed")

    def apply(self, event: str, data: dict[str, Any], now: float) -> None:
        """Apply an event of this service."""
        phase = str(data.get("phase") or "")
        if event == "failed":
            self.failure = read_failure(data)
            self._judge("failed", self.failure.reason, now)
        elif phase == HEALTHY or phase in ENDS:
            elapsed = data.get("elapsed")
            if isinstance(elapsed, int | float) and phase != "settled":
                self.elapsed = float(elapsed)
            self.healthy = self.desired or 0
            if phase == HEALTHY and self.window.is_needed:
                self._settle()
            else:
                text = ENDS.get(phase, HEALTHY)
                self._judge(text, text, now)
        elif phase:
            line = event_text(event, data) or one_line(str(data.get("message") or ""))
            kind = phase if phase in ("suspect", "waiting") else "starting"
            self._progress(kind, line or SAID.get(phase, one_line(phase)))

    def apply_task(self, data: Mapping[str, Any], now: float) -> None:
        """Apply an event of this task. Its time is that of its run."""
        kind, text = TASK_KINDS.get(str(data.get("state")), "starting"), task_text(data)
        if text and text != self.text:
            if kind in ("waiting", "starting"):
                self.since = now
                self._progress(kind, text)
            else:
                took = data.get("duration")
                self.elapsed = float(took) if isinstance(took, int | float) else None
                self._judge(kind, text, now)
                if kind == "failed":
                    code, detail = data.get("code"), {"reason": text.removeprefix("failed: ")}
                    self.failure = read_failure(detail | ({"code": code} if code else {}))

    def observe(self, service: Mapping[str, Any], now: float, wall: float | None) -> None:
        """Apply the status of the service, unless a verdict is newer."""
        replicas, state = service.get("replicas"), service.get("state")
        healthy, desired = _number(replicas, "healthy"), _number(replicas, "desired")
        if not self.judged or self.desired is None:
            self.healthy, self.desired = desired if self.kind in ("healthy", "settling") else healthy, desired
        self.window.read(service, now, wall)
        if self.kind == "suspect" and state == "Suspect" and service.get("message"):
            self.text = _suspicion(service)
        if self.kind == "starting":
            self.text = unready_text(service) or self.progress or self.text
        if self.judged or not self.has_been_healthy:
            return
        if not self.window.is_needed and self.kind == "settling":
            self._judge("healthy", HEALTHY, now)
        elif state == "Healthy":
            self._settle()
        elif state == "Suspect":
            self._progress("suspect", _suspicion(service))
            self.healthy = healthy

    def finish(self, now: float) -> None:
        """Apply the end of the rollout."""
        if self.kind == "settling":
            self._judge("healthy", HEALTHY, now)

    def text_at(self, now: float) -> str:
        """Return the text to show at a moment."""
        return self.window.text(now) if self.kind == "settling" else self.text

    def _settle(self) -> None:
        self._progress("settling", HEALTHY)
        self.has_been_healthy = True
        self.healthy = self.desired or 0

    def _progress(self, kind: str, text: str) -> None:
        self.kind, self.text, self.progress, self.until = kind, text, text, None

    def _judge(self, kind: str, text: str, now: float) -> None:
        self.kind, self.text, self.until = kind, text, now


class Rows:
    """The rows of a rollout, in the order of the file."""

    def __init__(self, services: Sequence[str]) -> None:
        self._order = [one_line(each) for each in services]
        self._rows: dict[str, Row] = {}
        self._tasks: dict[str, Row] = {}
        self._statuses: dict[str, Mapping[str, Any]] = {}
        """The last status of each service."""
        self._ahead: float | None = None
        """Seconds by which the time since 1970 is ahead of `now`."""

    def apply(self, event: str, data: dict[str, Any], now: float) -> str | None:
        """Apply an event other than `done`. Return the text of one that is about no service."""
        if event == TASK:
            name = one_line(str(data.get("task")))
            self._tasks.setdefault(name, Row(name, now, text="", is_task=True)).apply_task(data, now)
            return None
        service = data.get("service")
        if not isinstance(service, str):
            return event_text(event, data)
        name = one_line(service)
        if data.get("phase") != "settled" or name in self._rows:  # else it is healthy as it was
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
            name = one_line(str(each.get("name")))
            self._statuses[name] = each
            if name in self._rows:
                self._rows[name].observe(each, now, wall)
            elif each.get("state") == PENDING and name in self._order:
                self._row(name, now)

    def finish(self, now: float) -> None:
        """Apply the end of the rollout: it does not wait for a window if something else has failed."""
        for row in self._rows.values():
            row.finish(now)

    @property
    def shown(self) -> list[Row]:
        """The current rows: those of tasks, then those of services in the order of the file."""
        return [*self._tasks.values(), *self._services()]

    def _services(self) -> list[Row]:
        return [self._rows[name] for name in self._order if name in self._rows]

    def _row(self, name: str, now: float) -> Row:
        if name not in self._rows:
            if name not in self._order:
                self._order.append(name)
            self._rows[name] = Row(name, now)
            if name in self._statuses:
                wall = None if self._ahead is None else now + self._ahead
                self._rows[name].observe(self._statuses[name], now, wall)
        return self._rows[name]


def count(rows: Iterable[Row]) -> dict[str, int]:
    """Return how many services there are of each kind that there is, in the order of `KINDS`."""
    kinds = [each.kind for each in rows if not each.is_task]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}


def _suspicion(service: Mapping[str, Any]) -> str:
    return one_line(with_detail(str(service.get("message") or "suspect"), service.get("detail")))


def _number(replicas: Any, name: str) -> int:
    count = replicas.get(name) if isinstance(replicas, Mapping) else None
    return max(0, count) if isinstance(count, int) else 0
