"""How many wrong tokens may come from one address."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST_ADDRESSES: Final = 4096
"""Addresses that are remembered, those that sent something last."""


class Budget:
    """So many a minute for each address: all of them at once, and then as they come back. With 0 any number."""

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = a_minute
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By address: how many were left, and when."""

    def take(self, address: str) -> float:
        """Take one. Return 0, or after how many seconds there will be one to take."""
        if not self._most:
            return 0
        left = self._now(address)
        if left < 1:
            return (1 - left) * 60 / self._most
        self._keep(address, left - 1)
        return 0

    def give_back(self, address: str) -> None:
        """Put one back that was not needed."""
        if self._most:
            self._keep(address, min(self._most, self._now(address) + 1))

    def _now(self, address: str) -> float:
        left, since = self._left.get(address, (float(self._most), self._clock()))
        return min(self._most, left + (self._clock() - since) * self._most / 60)

    def _keep(self, address: str, left: float) -> None:
        self._left[address] = left, self._clock()
        self._left.move_to_end(address)
        while len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._left)
