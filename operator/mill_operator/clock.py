"""The operator's clock: the API server's time at the start, then running evenly, also if a machine's clock is set.

The API server wrote nearly all times that the operator compares with its own, and nodes' clocks are mostly right.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(seconds=2)
"""Smaller differences are ignored: the API server's time has a resolution of a second, and an answer takes time."""


class SteadyClock:
    """A clock that returns the time when it is called."""

    def __init__(self) -> None:
        self._start, self._started = datetime.now(UTC), _uptime()

    def __call__(self) -> datetime:
        """Return the current time."""
        return self._start + timedelta(seconds=_uptime() - self._started)

    def agree(self, ahead: timedelta) -> None:
        """Follow the API server's clock, which is ahead of the machine's by `ahead`."""
        if abs(ahead) >= TOLERANCE:
            self._start += ahead


def _uptime() -> float:
    """Return the seconds of a clock that cannot be set. Where the system has one, it includes suspended time."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
