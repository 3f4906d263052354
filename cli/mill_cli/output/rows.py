"""What live rows show: where each service of a rollout stands. Pure; the time is an argument.

A service has a row from the first that is heard of it until its lines are printed above the rows. They are printed in
the file's order, each when the services before it have theirs, so that what remains is what plain output has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mill_cli.output.lines import VERDICTS, details, event_text
from mill_cli.output.text import one_line

SAID: Final = {"pulling": "pulling the image", "starting": "starting", "started": "starting", "waiting": "waiting"}
PENDING: Final = "Pending"
"""The state of a service of which nothing is known yet."""


@dataclass(slots=True)
class Row:
    """A service."""

    name: str
    since: float
    until: float | None = None
    """When it had its verdict."""
    text: str = "waiting"
    mood: str = "going"
    """`going`, `suspect`, `good` or `bad`."""
    healthy: int = 0
    desired: int | None = None
    """How many replicas are wanted; None as long as nobody has said."""
    lines: list[str] = field(default_factory=list)
    """What is printed of it in the end."""
    more: list[str] = field(default_factory=list)
    """Below those."""

    @property
    def judged(self) -> bool:
        """Tell whether it has its verdict."""
        return self.mood in ("good", "bad")

    def take(self, event: str, data: dict[str, Any], now: float) -> None:
        """Take an event of this service."""
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
        """Take how many replicas it has; a verdict is newer than that."""
        if not self.judged or self.desired is None:
            self.healthy, self.desired = desired if self.mood == "good" else healthy, desired

    def _judge(self, mood: str, text: str, now: float) -> None:
        self.mood, self.text, self.until = mood, text, now


class Rows:
    """The rows of a rollout."""

    def __init__(self, services: Sequence[str]) -> None:
        self.width = max(map(len, services), default=0)
        """Characters of the longest name in the file."""
        self._order = [one_line(each) for each in services]
        self._rows: dict[str, Row] = {}
        self._replicas: dict[str, tuple[int, int]] = {}
        """How many are healthy, and how many are wanted."""
        self._passed: set[str] = set()
        """Services that need not be waited for: they are printed, or healthy as they were."""

    def take(self, event: str, data: dict[str, Any], now: float) -> str | None:
        """Take an event other than `done`. Return what one says that is about no service."""
        service = data.get("service")
        if not isinstance(service, str):
            return event_text(event, data)
        self._row(one_line(service), now).take(event, data, now)
        return None

    def count(self, services: Iterable[Mapping[str, Any]], now: float) -> None:
        """Take what the status of this rollout says: how many replicas there are, and what has yet to begin.

        It may be of another release: what is odd in it counts as nothing, and an unknown state as one that goes on.
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
        """Return the rows that are to be printed for good, and forget them."""
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
        """Return all rows that are left, in order, and forget them."""
        out = self.shown
        self._rows.clear()
        return out

    @property
    def shown(self) -> list[Row]:
        """Return the rows as they stand, in the file's order."""
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
