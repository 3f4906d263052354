"""Subscriptions to changes: each subscriber is notified of its own topics alone."""

import asyncio
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Subscriptions(Generic[K]):
    """Events of asyncio, by the topic whose changes set them."""

    def __init__(self) -> None:
        self._subscribers: dict[K, set[asyncio.Event]] = {}

    @contextmanager
    def subscribe(self, topic: K, event: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """Yield an event that is set by each change of a topic; the subscriber clears it.

        A subscriber of several topics passes the event that these share.
        """
        changed = event or asyncio.Event()
        subscribers = self._subscribers.setdefault(topic, set())
        subscribers.add(changed)
        try:
            yield changed
        finally:
            subscribers.discard(changed)
            if not subscribers and self._subscribers.get(topic) is subscribers:
                del self._subscribers[topic]

    def notify(self, topic: K) -> None:
        """Set the events of a topic's subscribers."""
        for each in self._subscribers.get(topic, ()):
            each.set()

    def __len__(self) -> int:
        """Return how many topics have subscribers."""
        return len(self._subscribers)
