"""A work queue with client-go's semantics.

A key is never processed twice at once. A key that is added while it waits is there once; a key that is added while it
is processed is processed again afterwards. `add_after` keeps the earliest time of each key.
"""

import asyncio
import contextlib
import heapq
import time
from collections.abc import Hashable
from typing import Generic, NoReturn, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_BACKOFF = 0.05
LAST_BACKOFF = 30.0
SPARE_TIMES = 100
"""How many outdated times the heap may keep before it is rebuilt."""


class QueueClosed(Exception):
    """The queue is closed: there are no more keys."""


class WorkQueue(Generic[K]):
    """Keys to process. All methods but `get` return at once. It belongs to one event loop."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[K | None] = asyncio.Queue()
        """None marks the end: the queue is closed."""
        self._waiting: dict[K, float] = {}
        """Keys that were added and not yet taken, and when they were added."""
        self._working: dict[K, float] = {}
        """Keys that are processed, and when they were added."""
        self._failures: dict[K, int] = {}
        self._due: dict[K, float] = {}
        self._later: list[tuple[float, int, K]] = []
        self._ticket = 0
        self._closed = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: K) -> None:
        """Add a key, to be processed as soon as possible."""
        if self._closed or key in self._waiting:
            return
        self._waiting[key] = time.monotonic()
        if key not in self._working:
            self._ready.put_nowait(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add a key after some seconds. An earlier time that the key already has stays."""
        if seconds <= 0:
            self.add(key)
            return
        due = time.monotonic() + seconds
        if due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        self._ticket += 1
        heapq.heappush(self._later, (due, self._ticket, key))
        if len(self._later) > 2 * len(self._due) + SPARE_TIMES:  # most of them were replaced by earlier times
            self._later = [each for each in self._later if self._due.get(each[2]) == each[0]]
            heapq.heapify(self._later)
        self._changed.set()

    def retry(self, key: K) -> float:
        """Add a key again after a failure, with a longer delay each time. Return the delay in seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(LAST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures, 20))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """Reset the failures of a key."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key, and take it. Call `done` afterwards. Raise `QueueClosed` if the queue is closed."""
        key = await self._ready.get()
        if key is None:
            self._ready.put_nowait(None)  # for the next waiting worker
            raise QueueClosed
        self._working[key] = self._waiting.pop(key)
        return key

    def added_at(self, key: K) -> float:
        """Return when a key that is processed was added, on the monotonic clock."""
        return self._working[key]

    def close(self) -> None:
        """Refuse new keys, and drop the waiting ones. Keys that are processed are unaffected."""
        self._closed = True
        self._waiting.clear()
        while not self._ready.empty():
            self._ready.get_nowait()
        self._ready.put_nowait(None)

    def done(self, key: K, rest: float = 0.0) -> None:
        """Give a key back. It is not given out again for `rest` seconds, also if it is added meanwhile."""
        if rest > 0:
            asyncio.get_running_loop().call_later(rest, self.done, key)
            return
        del self._working[key]
        if key in self._waiting:
            self._ready.put_nowait(key)

    async def run_timers(self) -> NoReturn:
        """Add the keys whose time has come, until canceled."""
        while True:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                due, _, key = heapq.heappop(self._later)
                if self._due.get(key) == due:  # otherwise an earlier time has replaced it
                    del self._due[key]
                    self.add(key)
            self._changed.clear()
            wait = self._later[0][0] - now if self._later else None
            # Not wait_for: before Python 3.12 it may swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
