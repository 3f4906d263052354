"""Limits of concurrent work, with bounded queues: a bound on the requests that callers cause at the API server."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class QueueFull(Exception):
    """As many tasks wait as may."""


class ConcurrencyLimit:
    """Semaphore with `most` slots, for which at most `waiting` tasks may wait."""

    def __init__(self, most: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._most_waiting = waiting
        self._waiting = 0
        self.users = 0
        """Tasks that have a slot or wait for one."""

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it. Raise `QueueFull` if too many tasks wait."""
        if self._free.locked() and self._waiting >= self._most_waiting:
            raise QueueFull
        self.users += 1
        try:
            self._waiting += 1
            try:
                await self._free.acquire()
            finally:
                self._waiting -= 1
            try:
                yield
            finally:
                self._free.release()
        finally:
            self.users -= 1


class ConcurrencyLimitPerKey:
    """A `ConcurrencyLimit` for each key, such as a caller, so that none can take all slots."""

    def __init__(self, most: int, waiting: int) -> None:
        self._most = most
        self._waiting = waiting
        self._limits: dict[Hashable, ConcurrencyLimit] = {}

    @asynccontextmanager
    async def slot(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for a slot of a key and hold it. Raise `QueueFull` if too many tasks of the key wait."""
        limit = self._limits.setdefault(key, ConcurrencyLimit(self._most, self._waiting))
        try:
            async with limit.slot():
                yield
        finally:
            if not limit.users:
                self._limits.pop(key, None)

    def __len__(self) -> int:
        """Return the number of keys whose tasks have a slot or wait for one."""
        return len(self._limits)
