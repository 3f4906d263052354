"""Events → the lines of plain output.

Plain lines are read later, from top to bottom, so they keep the file's order: a later service's lines wait for the
verdicts of the services before it, though not for long. The time is an argument.
"""

from collections.abc import Sequence
from typing import Any

HOLD_SECONDS = 10.0
"""How long a line waits for the services before its own: longer than a start on a busy machine takes."""


def line(event: str, data: dict[str, Any], width: int) -> str:
    """Return the line of an event; `width` is the longest service name's."""
    service = data.get("service")
    prefix = f"  {service + ':':<{width + 1}} " if service else "  "
    if event == "failed":
        return f"{prefix}failed: {data.get('reason') or 'unknown'}"
    phase = data.get("phase", "")
    if phase == "scheduled":
        return f"{prefix}scheduled on {data.get('node') or 'unknown'}"
    return f"{prefix}{phase}"


def last_line(data: dict[str, Any]) -> str:
    """Return the line of `done`."""
    if not data.get("success"):
        return "  deploy finished with errors"
    return f"  deployed ({data.get('elapsed', 0):.1f}s)"


class Arrangement:
    """Holds lines back until it is their turn."""

    def __init__(self, services: Sequence[str]) -> None:
        self._order = list(services)
        self._width = max(map(len, services), default=0)
        self._judged: set[str] = set()
        self._held: list[tuple[float, str, str]] = []
        """When it may wait no longer, service, line; in the order of arrival."""

    def push(self, event: str, data: dict[str, Any], now: float) -> list[str]:
        """Take an event and return the lines whose turn it is."""
        if event == "done":
            return [*self._release(lambda _: True), last_line(data)]
        service = data.get("service")
        text = line(event, data, self._width)
        if service is None:
            return [*self._release(lambda _: True), text]
        if service not in self._order:
            self._order.append(service)
        self._held.append((now + HOLD_SECONDS, service, text))
        if event == "failed" or data.get("phase") in ("healthy", "stopped"):
            self._judged.add(service)
        return self.tick(now)

    def tick(self, now: float) -> list[str]:
        """Return the lines whose turn has come, or that have waited long enough."""
        expired = {service for until, service, _ in self._held if until <= now}
        front = next((name for name in self._order if name not in self._judged), None)
        turn = self._order[: self._order.index(front) + 1] if front is not None else self._order
        return self._release(lambda service: service in turn or service in expired)

    @property
    def due(self) -> float | None:
        """Return when a held line may wait no longer."""
        return min((until for until, _, _ in self._held), default=None)

    def _release(self, ready: Any) -> list[str]:
        out = [each for each in self._held if ready(each[1])]
        self._held = [each for each in self._held if not ready(each[1])]
        out.sort(key=lambda each: self._order.index(each[1]))  # stable: a service's own lines keep their order
        return [text for _, _, text in out]
