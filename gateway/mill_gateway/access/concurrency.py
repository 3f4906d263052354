"""So many at once, and so many that wait: what the API server is asked is bounded, whoever makes the gateway ask."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Busy(Exception):
    """As many wait as may."""


class Turns:
    """Lets `most` do something at once, and `waiting` wait for it."""

    def __init__(self, most: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._most_waiting = waiting
        self._waiting = 0
        self.users = 0
        """How many have a turn or wait for one."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and have it. Raise `Busy` if too many wait."""
        if self._free.locked() and self._waiting >= self._most_waiting:
            raise Busy
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


class TurnsOfEach:
    """The same for each of those who ask, so that one of them leaves something to the others."""

    def __init__(self, most: int, waiting: int) -> None:
        self._most = most
        self._waiting = waiting
        self._turns: dict[Hashable, Turns] = {}

    @asynccontextmanager
    async def turn(self, who: Hashable) -> AsyncIterator[None]:
        """Wait for a turn of somebody and have it. Raise `Busy` if too many of theirs wait."""
        turns = self._turns.setdefault(who, Turns(self._most, self._waiting))
        try:
            async with turns.turn():
                yield
        finally:
            if not turns.users:
                self._turns.pop(who, None)

    def __len__(self) -> int:
        """Return how many have a turn or wait for one."""
        return len(self._turns)
