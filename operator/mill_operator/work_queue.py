"""A work queue with client-go's semantics.

A key is never worked on twice at once; keys that are added while they wait are one; a key that is added while it is
worked on is worked on again afterwards. `add_after` keeps the earliest time of each key.
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
"""How many times that do not count any more may be kept."""


class QueueClosed(Exception):
    """No more keys are given out."""


class WorkQueue(Generic[K]):
    """Keys to work on. All methods but `get` return at once; for one event loop."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[K | None] = asyncio.Queue()
        """None tells who waits that there are no more."""
        self._waiting: dict[K, float] = {}
        """Added and not yet taken; since when."""
        self._working: dict[K, float] = {}
        """Taken and not given back; when they were added."""
        self._failures: dict[K, int] = {}
        self._due: dict[K, float] = {}
        self._later: list[tuple[float, int, K]] = []
        self._ticket = 0
        self._closed = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: K) -> None:
        """Have a key worked on as soon as possible."""
        if self._closed or key in self._waiting:
            return
        self._waiting[key] = time.monotonic()
        if key not in self._working:
            self._ready.put_nowait(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Have a key worked on after a while. An earlier time that it has already stays."""
        if seconds <= 0:
            self.add(key)
            return
        due = time.monotonic() + seconds
        if due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        self._ticket += 1
        heapq.heappush(self._later, (due, self._ticket, key))
        if len(self._later) > 2 * len(self._due) + SPARE_TIMES:  # an earlier time took the place of most of them
            self._later = [each for each in self._later if self._due.get(each[2]) == each[0]]
            heapq.heapify(self._later)
        self._changed.set()

    def retry(self, key: K) -> float:
        """Have a key worked on again after it failed: later each time. Return after how many seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(LAST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures, 20))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """Note that a key is well: its next failure is its first."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key, and take it. `done` must follow. Raise `QueueClosed` if there are no more."""
        key = await self._ready.get()
        if key is None:
            self._ready.put_nowait(None)  # for the next who waits
            raise QueueClosed
        self._working[key] = self._waiting.pop(key)
        return key

    def added_at(self, key: K) -> float:
        """Return when a key that is worked on was added, on the monotonic clock."""
        return self._working[key]

    def close(self) -> None:
        """Give out no more keys, and take none. Those that are worked on are unaffected."""
        self._closed = True
        self._waiting.clear()
        while not self._ready.empty():
            self._ready.get_nowait()
        self._ready.put_nowait(None)

    def done(self, key: K, rest: float = 0.0) -> None:
        """Give a key back. It is not given out again until it has rested for so many seconds, whoever adds it."""
        if rest > 0:
            asyncio.get_running_loop().call_later(rest, self.done, key)
            return
        del self._working[key]
        if key in self._waiting:
            self._ready.put_nowait(key)

    async def run_timers(self) -> NoReturn:
        """Move keys whose time has come, until cancelled."""
        while True:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                due, _, key = heapq.heappop(self._later)
                if self._due.get(key) == due:  # otherwise an earlier time took its place
                    del self._due[key]
                    self.add(key)
            self._changed.clear()
            wait = self._later[0][0] - now if self._later else None
            # Not wait_for: before Python 3.12 it may swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
