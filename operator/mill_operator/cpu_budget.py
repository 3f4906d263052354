"""How much CPU one MillDeployment may take, so that who changes it all the time slows down nobody else.

A token bucket for each: so many seconds of CPU at once, and in the long run a share of one CPU. Who has used more rests
before the next pass until the share has made up for it. What changes meanwhile is seen by that pass, all at once.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

BURST_SECONDS: Final = 5.0
"""More than the rollout of 200 services takes."""


class CpuBudgets(Generic[K]):
    """The buckets of all keys. Times are on one clock, in seconds."""

    def __init__(self, share: float, burst: float = BURST_SECONDS) -> None:
        self._share = share
        self._burst = burst
        self._debts: OrderedDict[K, tuple[float, float]] = OrderedDict()
        """What each key has used and not got back, and at what time; who has used nothing is not here."""

    def __len__(self) -> int:
        return len(self._debts)

    def spend(self, key: K, seconds: float, now: float) -> float:
        """Note what a pass cost. Return for how many seconds the key must rest."""
        debt = self._debt(key, now) + seconds
        self._debts[key] = debt, now
        self._debts.move_to_end(key)
        self._forget(now)
        return max(0.0, (debt - self._burst) / self._share)

    def _debt(self, key: K, now: float) -> float:
        debt, at = self._debts.get(key, (0.0, now))
        return max(0.0, debt - (now - at) * self._share)

    def _forget(self, now: float) -> None:
        """Leave out those that have used least lately, as far as nothing is left to make up for."""
        while self._debts:
            key = next(iter(self._debts))
            if self._debt(key, now) > 0:
                return
            del self._debts[key]
