"""CPU budgets of MillDeployments: one that changes all the time does not slow down the others.

Each has a token bucket: a burst in seconds of CPU, and a share of one CPU in the long run. After using more, it
waits before the next reconciliation until the share has made up for it. That one handles all changes of the meantime.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

BURST_SECONDS: Final = 5.0
"""More than the rollout of 200 services takes."""


class CpuBudgets(Generic[K]):
    """The token buckets of all keys. Times are seconds on one clock."""

    def __init__(self, share: float, burst: float = BURST_SECONDS) -> None:
        self._share = share
        self._burst = burst
        self._debts: OrderedDict[K, tuple[float, float]] = OrderedDict()
        """CPU seconds that each key has used and that its share has not made up for, and when that was computed."""

    def __len__(self) -> int:
        return len(self._debts)

    def spend(self, key: K, seconds: float, now: float) -> float:
        """Charge a reconciliation's CPU seconds to a key. Return the seconds that the key must wait."""
        debt = self._debt(key, now) + seconds
        self._debts[key] = debt, now
        self._debts.move_to_end(key)
        self._forget(now)
        return max(0.0, (debt - self._burst) / self._share)

    def _debt(self, key: K, now: float) -> float:
        debt, at = self._debts.get(key, (0.0, now))
        return max(0.0, debt - (now - at) * self._share)

    def _forget(self, now: float) -> None:
        """Drop the keys that were charged longest ago, as far as their budgets are full again."""
        while self._debts:
            key = next(iter(self._debts))
            if self._debt(key, now) > 0:
                return
            del self._debts[key]
