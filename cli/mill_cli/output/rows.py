"""State of the live rows: the progress of each service of a rollout. Pure; the time is an argument.

A service has a row from its first event until its lines are printed above the rows. They are printed in the order of
the file, each after those of earlier services, so that the lines that stay are those of plain output.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mill_cli.output.lines import VERDICTS, details, event_text
from mill_cli.output.text import one_line

SAID: Final = {"pulling": "pulling the image", "starting": "starting", "started": "starting", "waiting": "waiting"}
PENDING: Final = "Pending"
"""The state of a service that has not started yet."""


@dataclass(slots=True)
class Row:
    """A service."""

    name: str
    since: float
    until: float | None = None
    """The moment of the verdict."""
    text: str = "waiting"
    mood: str = "going"
    """`going`, `suspect`, `good` or `bad`."""
    healthy: int = 0
    desired: int | None = None
    """Desired replicas; None until a status has them."""
    lines: list[str] = field(default_factory=list)
    """The lines that stay."""
    more: list[str] = field(default_factory=list)
    """The details of a failure, below those."""

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
        elif phase in VERDICTS:
            self._judge("good", str(phase), now)
            self.more = []
            self.healthy = self.desired or 0
        elif phase:
            self.mood, self.until = "suspect" if phase == "suspect" else "going", None
            self.text = line or one_line(str(data.get("message") or "")) or SAID.get(str(phase), one_line(str(phase)))

    def count(self, healthy: int, desired: int) -> None:
        """Set the replicas of a status, unless a verdict is newer."""
        if not self.judged or self.desired is None:
            self.healthy, self.desired = desired if self.mood == "good" else healthy, desired

    def _judge(self, mood: str, text: str, now: float) -> None:
        self.mood, self.text, self.until = mood, text, now


class Rows:
    """The rows of a rollout, in the order of the file."""

    def __init__(self, services: Sequence[str]) -> None:
        self.width = max(map(len, services), default=0)
        """Characters of the longest name in the file."""
        self._order = [one_line(each) for each in services]
        self._rows: dict[str, Row] = {}
        self._replicas: dict[str, tuple[int, int]] = {}
        """Healthy and desired replicas of each service."""
        self._passed: set[str] = set()
        """Services that later ones need not wait for: they are printed, or were healthy before."""

    def apply(self, event: str, data: dict[str, Any], now: float) -> str | None:
        """Apply an event other than `done`. Return the text of one that is about no service."""
        service = data.get("service")
        if not isinstance(service, str):
            return event_text(event, data)
        self._row(one_line(service), now).apply(event, data, now)
        return None

    def count(self, services: Iterable[Mapping[str, Any]], now: float) -> None:
        """Set the replicas of a status, and add rows for services that have not started yet.

        The status may come from another release: malformed entries are ignored, unknown states count as in progress.
        """
        for each in services:
            if not isinstance(each, Mapping):
                continue
            name, state, replicas = one_line(str(each.get("name"))), each.get("state"), each.get("replicas")
            self._replicas[name] = _number(replicas, "healthy"), _number(replicas, "desired")
            if name in self._rows:
                self._rows[name].count(*self._replicas[name])
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
            if name in self._replicas:
                self._rows[name].count(*self._replicas[name])
        return self._rows[name]


def _number(replicas: Any, name: str) -> int:
    count = replicas.get(name) if isinstance(replicas, Mapping) else None
    return max(0, count) if isinstance(count, int) else 0
