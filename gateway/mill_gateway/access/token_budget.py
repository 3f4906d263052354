"""Budget of wrong tokens for each client address."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST_ADDRESSES: Final = 4096
"""Addresses with a budget that is not full; the least recently used ones are forgotten."""


class TokenBudget:
    """Token bucket for each address: `per_minute` at once, refilled at that rate. 0 is unlimited."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By address: the amount that was left, and the time of that."""

    def take(self, address: str) -> float:
        """Take one. Return 0, or the seconds until one is available."""
        if not self._per_minute:
            return 0
        left = self._available(address)
        if left < 1:
            return (1 - left) * 60 / self._per_minute
        self._store(address, left - 1)
        return 0

    def refund(self, address: str) -> None:
        """Return one that was not used."""
        if self._per_minute:
            self._store(address, min(self._per_minute, self._available(address) + 1))

    def _available(self, address: str) -> float:
        left, since = self._left.get(address, (float(self._per_minute), self._clock()))
        return min(self._per_minute, left + (self._clock() - since) * self._per_minute / 60)

    def _store(self, address: str, left: float) -> None:
        self._left[address] = left, self._clock()
        self._left.move_to_end(address)
        while len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)

    def __len__(self) -> int:
        """Return the number of addresses with a budget of their own."""
        return len(self._left)
