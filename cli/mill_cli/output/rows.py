"""What live rows show: where each service of a rollout stands. Pure; the time is an argument.

A service has a row from the first that is heard of it until its lines are printed above the rows. They are printed in
the file's order, each when the services before it have theirs, so that what remains is what plain output has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mill_cli.output.lines import VERDICTS, details, line
from mill_cli.output.text import one_line

SAID = {"pulling": "pulling the image", "starting": "starting", "started": "starting", "waiting": "waiting"}


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

    def take(self, event: str, data: Mapping[str, Any], now: float) -> None:
        """Take an event of this service."""
        phase, message = data.get("phase"), one_line(str(data.get("message") or data.get("reason") or ""))
        if event == "failed":
            self._judge("bad", f"failed: {message}", now)
            self.more = list(details(dict(data)))
        elif phase in VERDICTS:
            self._judge("good", str(phase), now)
            self.more = []
        elif phase == "suspect":
            self.mood, self.text = "suspect", message or "suspect"
        elif phase == "scheduled":
            self.mood, self.text = "going", f"scheduled on {one_line(str(data.get('node') or 'unknown'))}"
        elif phase:
            self.mood, self.text = "going", SAID.get(str(phase), one_line(str(phase)))

    def _judge(self, mood: str, text: str, now: float) -> None:
        self.mood, self.text, self.until = mood, text, now


class Rows:
    """The rows of a rollout."""

    def __init__(self, services: Sequence[str]) -> None:
        self._order = list(services)
        self._width = max(map(len, services), default=0)
        self._rows: dict[str, Row] = {}
        self._quiet: set[str] = set()
        """Services that are healthy as they were: nothing will be told of them."""

    def take(self, event: str, data: dict[str, Any], now: float) -> list[str]:
        """Take an event other than `done`. Return the lines of one that is about no service."""
        text, service = line(event, data, self._width), data.get("service")
        if not isinstance(service, str):
            return [text] if text is not None else []
        if service not in self._order:
            self._order.append(service)
        row = self._rows.setdefault(service, Row(service, now))
        row.take(event, data, now)
        if text is not None:
            row.lines.append(text)
        return []

    def count(self, services: Iterable[Mapping[str, Any]]) -> None:
        """Take what the status says of replicas."""
        self._quiet.clear()
        for each in services:
            replicas = each.get("replicas") or {}
            if (row := self._rows.get(str(each.get("name")))) is not None:
                row.healthy, row.desired = int(replicas.get("healthy", 0)), int(replicas.get("desired", 0))
            elif each.get("state") == "Healthy":
                self._quiet.add(str(each.get("name")))

    def settle(self) -> list[Row]:
        """Return the rows that are to be printed for good, and forget them."""
        out = []
        while self._order:
            row = self._rows.get(self._order[0])
            if row is None and self._order[0] not in self._quiet:
                break
            if row is not None and not row.judged:
                break
            self._order.pop(0)
            if row is not None:
                out.append(self._rows.pop(row.name))
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
