"""Cache whose entries expire, and whose loads are shared by concurrent callers."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Clock = Callable[[], float]


class TTLCache(Generic[K, V]):
    """Least recently used cache. `ttl` returns the seconds for which it keeps a value.

    Anyone can produce `cheap` values in any number, such as the rejection of an invented token. They have a part of
    their own, so that a flood of them evicts no other value.
    """

    def __init__(
        self,
        ttl: Callable[[V], float],
        *,
        cheap: Callable[[V], bool] = lambda _: False,
        most: int = 4096,
        clock: Clock = time.monotonic,
    ) -> None:
        """Keep at most `most` values of either kind."""
        self._ttl = ttl
        self._cheap = cheap
        self._most = most
        self._clock = clock
        self._valuable: OrderedDict[K, tuple[float, V]] = OrderedDict()
        """The time at which an entry expires, and its value."""
        self._others: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._loading: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """Return the cached value, or load it. An error of `load` is raised and not cached."""
        for part in (self._valuable, self._others):
            entry = part.get(key)
            if entry is not None and entry[0] > self._clock():
                # A flood of keys that are used once evicts those first.
                part.move_to_end(key)
                return entry[1]
        task = self._loading.get(key)
        if task is None:
            task = asyncio.ensure_future(self._load(key, load))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._loaded(key, done))
        # A caller that is canceled does not cancel the load of the others.
        return await asyncio.shield(task)

    def last_valuable(self, key: K) -> V | None:
        """Return the last value that is not cheap, even if it has expired."""
        entry = self._valuable.get(key)
        return None if entry is None else entry[1]

    async def _load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        value = await load()
        part, other = (self._others, self._valuable) if self._cheap(value) else (self._valuable, self._others)
        other.pop(key, None)
        part[key] = (self._clock() + self._ttl(value), value)
        part.move_to_end(key)
        while len(part) > self._most:
            part.popitem(last=False)
        return value

    def _loaded(self, key: K, task: asyncio.Task[V]) -> None:
        self._loading.pop(key, None)
        if not task.cancelled():
            task.exception()  # marks it as retrieved: asyncio would log it if all callers were canceled

    def __len__(self) -> int:
        """Return the number of entries, expired ones included."""
        return len(self._valuable) + len(self._others)
