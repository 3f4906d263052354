"""Who waits for a change of what."""

import asyncio
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Subscriptions(Generic[K]):
    """Wakes those who wait for a key, and nobody else."""

    def __init__(self) -> None:
        self._waiting: dict[K, set[asyncio.Event]] = {}

    @contextmanager
    def changes(self, key: K, also: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever the key's objects change; the reader clears it.

        Who waits for several things gives the event that they share.
        """
        changed = also or asyncio.Event()
        waiting = self._waiting.setdefault(key, set())
        waiting.add(changed)
        try:
            yield changed
        finally:
            waiting.discard(changed)
            if not waiting and self._waiting.get(key) is waiting:
                del self._waiting[key]

    def wake(self, key: K) -> None:
        """Tell who waits for a key."""
        for each in self._waiting.get(key, ()):
            each.set()

    def __len__(self) -> int:
        """Return how many keys are waited for."""
        return len(self._waiting)
