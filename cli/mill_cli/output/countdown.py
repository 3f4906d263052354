"""Countdown of a service's settling window, from the status of the service. Pure; times are arguments."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mill_cli.output.moments import timestamp


@dataclass(slots=True)
class Countdown:
    """The seconds that are left of a settling window.

    The window's length and beginning come from the status and not from events: an operator may get another length while
    it runs, and what a stream has sent never changes.
    """

    seconds: float | None = None
    """Length of the window; None until a status has it, 0 if there is no window."""
    _since: str = ""
    _ends_at: float | None = None

    @property
    def is_needed(self) -> bool:
        """Whether a service that is healthy has to settle, as far as is known."""
        return self.seconds != 0

    def read(self, service: Mapping[str, Any], now: float, wall: float | None) -> None:
        """Read the window from the status of the service.

        `now` is a moment of the clock of `text`, `wall` the time in seconds since 1970. The operator's clock may differ
        from it: the countdown begins with the whole window at most.
        """
        seconds, since = service.get("settle"), service.get("settlingSince")
        self.seconds = float(seconds) if isinstance(seconds, int | float) and 0 < seconds < math.inf else 0.0
        if not isinstance(since, str) or since == self._since:
            return
        self._since = since
        began_at = timestamp(since)
        gone = 0.0 if wall is None or began_at is None else wall - began_at
        self._ends_at = now + self.seconds - min(max(0.0, gone), self.seconds)

    def text(self, now: float) -> str:
        """Return the text of a healthy service: `healthy, settles in 7s`."""
        left = 0 if self._ends_at is None else math.ceil(self._ends_at - now)
        return f"healthy, settles in {left}s" if left > 0 else "healthy, settling"
