"""Logs of several replicas in one stream: first their last lines by time, then their new lines.

Nothing is stored: while a client does not read, the gateway does not read from the kubelets. A client resumes with the
id of its last event, at any gateway.
"""

import asyncio
import contextlib
import heapq
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from mill_gateway.core.log_lines import Line, Progress, Splitter, encode, parse
from mill_gateway.objects.pods import Pod
from mill_gateway.services.logs import LogSelection
from mill_gateway.stores import Stores
from mill_gateway.streams.line_queue import LineQueue
from mill_gateway.streams.slots import StreamSlots
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, KubeError
from mill_kube.logs import LogOptions

log = logging.getLogger(__name__)

PLACE_SECONDS: Final = 10.0
"""Seconds between two attempts to read a replica for which the limit had no room."""
TURN_LINES: Final = 100
"""Number of lines after which other tasks run: lines that are buffered already are read without a wait."""
AGAIN_SECONDS: Final = 1.0
"""Seconds after which a log is requested again that was cut off while its container runs."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The lines of each replica that a stream sends."""

    tail: int | None
    """Number of last lines; None: all."""
    follow: bool
    """Whether new lines follow."""
    previous: bool
    """Whether the tail includes lines from before the container's last restart, if there are too few since."""
    since: str | None = None
    """RFC 3339 with whole seconds: only lines from then on. A client that resumes has its position instead."""
    before_restart: bool = False
    """Only lines from before the last restart of each container."""


@dataclass(frozen=True, slots=True)
class LogSource:
    """The parts that all log streams of a process share."""

    client: KubeClient
    stores: Stores
    queue_bytes: int
    """Limit of the lines that wait for one reader."""


class LogStream:
    """One reader's stream."""

    def __init__(
        self, source: LogSource, selection: LogSelection, query: LogQuery, progress: Progress, slots: StreamSlots
    ) -> None:
        self._slots = slots
        self._postponed: set[str] = set()
        """Uids of the replicas for which the limit has no room."""
        self._client = source.client
        self._jobs = source.stores.jobs
        self._pods = source.stores.pods
        self._selection = selection
        self._query = query
        self._progress = progress
        self._from_now: dict[str, str | None] = {}
        """Start times of containers, by the uid of their pod, whose earlier lines are not sent."""
        self._queue = LineQueue(source.queue_bytes)

    def pods(self) -> list[Pod]:
        """Return the pods that exist, oldest first."""
        return self._selection.pods(self._pods)

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the events' bytes."""
        existing = self.pods()
        if self._query.tail == 0:
            self._from_now = {pod.uid: pod.started_at for pod in existing}
        async for pod, last in self._tails(existing):
            if self._progress.advance(_short(pod), last):
                yield self._event(pod, last)
        if not self._query.follow:
            return
        followers = asyncio.create_task(self._follow_all())
        try:
            while (got := await self._queue.get()) is not None:
                pod, line = got
                if line is None:
                    self._progress.reopen(_short(pod))
                elif self._progress.advance(_short(pod), line):
                    yield self._event(pod, line)
        finally:
            followers.cancel()
            await asyncio.gather(followers, return_exceptions=True)

    def _event(self, pod: Pod, line: Line) -> bytes:
        return encode(line, pod.key.name, self._progress.encode())

    async def _tails(self, pods: list[Pod]) -> AsyncIterator[tuple[Pod, Line]]:
        """Yield the last lines of all pods, merged by time; one line of each is held at a time."""
        sources = [self._tail(pod) for pod in pods]
        try:
            heads: list[tuple[int, int, Line]] = []
            firsts = await asyncio.gather(*(anext(each, None) for each in sources), return_exceptions=True)
            for number, first in enumerate(firsts):
                if isinstance(first, BaseException):
                    raise first
                if first is not None:
                    heads.append((first.nanoseconds, number, first))
            heapq.heapify(heads)
            while heads:
                _, number, line = heads[0]
                yield pods[number], line
                following = await anext(sources[number], None)
                if following is None:
                    heapq.heappop(heads)
                else:
                    heapq.heapreplace(heads, (following.nanoseconds, number, following))
        finally:
            for each in sources:
                await each.aclose()

    async def _tail(self, pod: Pod) -> AsyncGenerator[Line]:
        """Yield the last lines of a pod, including those from before its last restart if there are too few since.

        While a container waits for its restart, Kubernetes returns the log of the previous one as the current log.
        """
        tail = self._query.tail
        if self._query.before_restart:
            if pod.restarts:
                async with contextlib.aclosing(self._read(pod, tail=tail, previous=True)) as lines:
                    async for line in lines:
                        yield line
            return
        sources: list[AsyncGenerator[Line]] = []
        before = self._query.previous and pod.restarts and pod.started_at is not None
        if before and (tail is None or self._progress.position(_short(pod)) is not None):
            sources = [self._read(pod, previous=True)]
        elif before:
            async with contextlib.aclosing(self._read(pod, tail=tail)) as lines:
                current = len([None async for _ in lines])
            if tail is not None and current < tail:
                sources = [self._read(pod, tail=tail - current, previous=True)]
        for source in (*sources, self._read(pod, tail=tail)):
            self._progress.reopen(_short(pod))  # both are the same log until the store has the restart
            async with contextlib.aclosing(source):
                async for line in source:
                    yield line

    async def _follow_all(self) -> None:
        """Follow every pod, including later ones, until none can be added."""
        followed: dict[str, asyncio.Task[None]] = {}
        changed = asyncio.Event()
        with contextlib.ExitStack() as waits:
            if self._selection.run is not None:
                waits.enter_context(self._pods.subscriptions.subscribe(self._selection.run, changed))
                waits.enter_context(self._jobs.subscriptions.subscribe(self._selection.run, changed))
            else:
                for program in self._selection.programs:
                    waits.enter_context(self._pods.subscriptions.subscribe(program, changed))
            try:
                await self._follow_selected(followed, changed)
            except Exception:
                log.exception("logs of %s: unexpected error", self._selection.programs[0])
            finally:
                for task in followed.values():
                    task.cancel()
                await asyncio.gather(*followed.values(), return_exceptions=True)
        await self._queue.put(None)

    async def _follow_selected(self, followed: dict[str, asyncio.Task[None]], changed: asyncio.Event) -> None:
        while True:
            changed.clear()
            existing = self.pods()
            for each in followed.values():
                if each.done():
                    each.result()  # an internal error ends the stream, not only one replica's part
            self._postponed &= {pod.uid for pod in existing}
            reading = sum(not each.done() for each in followed.values())
            self._slots.shrink(max(1, reading))
            for pod in existing:
                if pod.uid in followed or not self._take_place(pod, reading):
                    continue
                reading += 1
                followed[pod.uid] = asyncio.create_task(self._follow(pod))
                followed[pod.uid].add_done_callback(lambda _: changed.set())
            for uid in set(followed) - {pod.uid for pod in existing}:
                if followed[uid].done():
                    del followed[uid]
            if self._selection.is_complete() and not self._postponed and all(each.done() for each in followed.values()):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PLACE_SECONDS if self._postponed else None):
                    await changed.wait()

    def _take_place(self, pod: Pod, reading: int) -> bool:
        """Return whether one more pod may be read. Others are read later, from their first line."""
        problem = self._slots.grow() if reading >= self._slots.count else None
        if problem is None:
            self._postponed.discard(pod.uid)
        elif pod.uid not in self._postponed:
            self._postponed.add(pod.uid)
            log.warning("logs of %s: postponed: %s", pod.key, problem)
        return problem is None

    async def _follow(self, pod: Pod) -> None:
        """Follow a pod through restarts of its container, until it has ended or is gone."""
        with self._pods.subscriptions.subscribe(pod.program) as changed:
            read: str | None = None
            while True:
                changed.clear()
                now = self._pods.get(pod.key)
                if now is None or now.uid != pod.uid:
                    return
                if now.started_at is not None and now.started_at != read:
                    read = now.started_at if await self._follow_container(now) else None
                    if read is None:
                        await asyncio.sleep(AGAIN_SECONDS)
                    continue
                if now.over:
                    return
                await changed.wait()

    async def _follow_container(self, pod: Pod) -> bool:
        """Read new lines of a container; return whether it has ended, or its log was only cut off."""
        known = self._progress.position(_short(pod))
        from_now = known is None and self._from_now.get(pod.uid) == pod.started_at
        sources = [self._read(pod, follow=True, tail=0 if from_now else None)]
        if pod.restarts and known is not None:
            sources.insert(0, self._read(pod, previous=True))  # its last lines, if the reader does not have them yet
        try:
            for source in sources:
                await self._queue.put((pod, None))  # queued, since earlier lines may still wait there
                async with contextlib.aclosing(source):
                    async for line in source:
                        await self._queue.put((pod, line))
        except KubeError:
            return False
        now = self._pods.get(pod.key)
        return now is None or not (now.running and now.started_at == pod.started_at)

    async def _read(
        self, pod: Pod, *, tail: int | None = None, previous: bool = False, follow: bool = False
    ) -> AsyncGenerator[Line]:
        """Yield a container's lines after the reader's position; none if its log cannot be read."""
        position = self._progress.position(_short(pod))
        chunks = self._client.logs(
            *pod.key,
            LogOptions(
                pod.container,
                follow=follow,
                previous=previous,
                tail=tail if position is None else None,
                since=position.since if position else self._query.since,
            ),
        )
        splitter, count = Splitter(), 0
        try:
            async for chunk in chunks:
                for raw in splitter.feed(chunk):
                    if (line := parse(raw, previous=previous)) is not None:
                        yield line
                    count += 1
                    if count % TURN_LINES == 0:
                        await asyncio.sleep(0)
            for raw in splitter.end():
                if (line := parse(raw, previous=previous)) is not None:
                    yield line
        except ApiError as error:
            if follow and (error.status >= 500 or error.status == 429):
                raise  # the log may be readable later
            # Else the container has not started, or its log is gone.
        finally:
            await chunks.aclose()


def _short(pod: Pod) -> str:
    return pod.uid.replace("-", "")[:8]
