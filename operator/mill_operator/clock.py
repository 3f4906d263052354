"""Our clock: the API server's time when we started, running evenly from there whoever sets a clock meanwhile.

Nearly all times that we compare with ours were written by the API server, and the nodes' clocks are mostly right.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

EXACT: Final = timedelta(seconds=2)
"""The API server says the time to the second, and an answer takes a moment: so much difference is none."""


class SteadyClock:
    """Gives the time when it is called."""

    def __init__(self) -> None:
        self._start, self._began = datetime.now(UTC), _uptime()

    def __call__(self) -> datetime:
        """Return the time."""
        return self._start + timedelta(seconds=_uptime() - self._began)

    def agree(self, ahead: timedelta) -> None:
        """Go as the API server's clock, which is so much ahead of the machine's."""
        if abs(ahead) >= EXACT:
            self._start += ahead


def _uptime() -> float:
    """Return seconds that nobody can set; where the machine tells, those that it slept included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
