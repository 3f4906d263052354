"""The logs of all replicas together: first their last lines by time, then whatever they write.

Nothing is kept: a client that does not read stops the reading of the kubelets. A client that comes back with an event's
id goes on where it was, at any gateway.
"""

import asyncio
import contextlib
import heapq
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from mill_gateway.core.log_lines import Line, Progress, Splitter, encode, parse
from mill_gateway.gateway import Gateway
from mill_gateway.objects.pods import Pod, Program
from mill_gateway.stores import Store
from mill_gateway.streams.line_queue import LineQueue
from mill_gateway.streams.places import Place
from mill_kube.client import ApiError, KubeError
from mill_objects.key import Key

log = logging.getLogger(__name__)

PLACE_SECONDS: Final = 10.0
"""How often a replica that came later looks for a place, where there are too many to read all of them at once."""
TURN_LINES: Final = 100
"""After how many lines others have their turn: those that are there already are read without any waiting."""
AGAIN_SECONDS: Final = 1.0
"""After what time a log is asked for again that was cut off while its container goes on."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Whose logs are read."""

    programs: tuple[Program, ...]
    """What their pods belong to."""
    takes: Callable[[Pod], bool] = lambda _: True
    over: Callable[[], bool] = lambda: False
    """Whether no other pod can come."""
    run: Key | None = None
    """The run that they are of, whose end ends the stream."""
    pod: str | None = None
    """The name of the one pod that is read, whatever comes later; None: all that come may be, and the right is asked
    for all of the namespace."""

    def pods(self, store: Store[Pod]) -> list[Pod]:
        """Return the pods that are there, oldest first."""
        found = [pod for program in self.programs for pod in store.in_group(program)]
        return sorted(filter(self.takes, found), key=lambda each: (each.created_at, each.key))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of each replica."""

    tail: int
    follow: bool
    previous: bool
    """Whether lines of the container before its restart fill up the tail."""


class LogStream:
    """One reader's stream."""

    def __init__(
        self, gateway: Gateway, selection: Selection, wanted: Wanted, progress: Progress, place: Place
    ) -> None:
        self._place = place
        self._postponed: set[str] = set()
        """Replicas, by uid, that there is no place to read."""
        self._gateway = gateway
        self._pods = gateway.stores.pods
        self._selection = selection
        self._wanted = wanted
        self._progress = progress
        self._from_now: dict[str, str | None] = {}
        """Containers of which nothing that was there before is wanted: when they started, by the uid of their pod."""
        self._queue = LineQueue(gateway.settings.log_queue_bytes)

    def pods(self) -> list[Pod]:
        """Return the pods that are there, oldest first."""
        return self._selection.pods(self._pods)

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the events' bytes."""
        there = self.pods()
        if self._wanted.tail == 0:
            self._from_now = {pod.uid: pod.started_at for pod in there}
        async for pod, last in self._tails(there):
            if self._progress.take(_short(pod), last):
                yield self._event(pod, last)
        if not self._wanted.follow:
            return
        followers = asyncio.create_task(self._follow_all())
        try:
            while (got := await self._queue.get()) is not None:
                pod, line = got
                if line is None:
                    self._progress.reopen(_short(pod))
                elif self._progress.take(_short(pod), line):
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
        """Yield a pod's last lines: of its container before the restart as well, if it has not written enough since.

        While a container waits for its restart, the one before is what Kubernetes takes for the current one.
        """
        tail = self._wanted.tail
        sources: list[AsyncGenerator[Line]] = []
        before = self._wanted.previous and pod.restarts and pod.started_at is not None
        if before and self._progress.position(_short(pod)) is not None:
            sources = [self._read(pod, previous=True)]
        elif before:
            async with contextlib.aclosing(self._read(pod, tail=tail)) as lines:
                current = len([None async for _ in lines])
            if current < tail:
                sources = [self._read(pod, tail=tail - current, previous=True)]
        for source in (*sources, self._read(pod, tail=tail)):
            self._progress.reopen(_short(pod))  # both are the same log where a restart is not known of yet
            async with contextlib.aclosing(source):
                async for line in source:
                    yield line

    async def _follow_all(self) -> None:
        """Follow every pod, also those that come later, until none can come any more."""
        followed: dict[str, asyncio.Task[None]] = {}
        changed = asyncio.Event()
        with contextlib.ExitStack() as waits:
            if self._selection.run is not None:
                waits.enter_context(self._pods.subscriptions.subscribe(self._selection.run, changed))
                waits.enter_context(self._gateway.stores.jobs.subscriptions.subscribe(self._selection.run, changed))
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
            there = self.pods()
            for each in followed.values():
                if each.done():
                    each.result()  # an error of ours ends the stream, rather than one replica's part of it
            self._postponed &= {pod.uid for pod in there}
            reading = sum(not each.done() for each in followed.values())
            self._place.shrink(max(1, reading))
            for pod in there:
                if pod.uid in followed or not self._has_place(pod, reading):
                    continue
                reading += 1
                followed[pod.uid] = asyncio.create_task(self._follow(pod))
                followed[pod.uid].add_done_callback(lambda _: changed.set())
            for uid in set(followed) - {pod.uid for pod in there}:
                if followed[uid].done():
                    del followed[uid]
            if self._selection.over() and not self._postponed and all(each.done() for each in followed.values()):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PLACE_SECONDS if self._postponed else None):
                    await changed.wait()

    def _has_place(self, pod: Pod, reading: int) -> bool:
        """Tell whether one more pod may be read. One that may not has its turn later, and nothing of it is lost."""
        problem = self._place.grow() if reading >= self._place.count else None
        if problem is None:
            self._postponed.discard(pod.uid)
        elif pod.uid not in self._postponed:
            self._postponed.add(pod.uid)
            log.warning("logs of %s wait for a place: %s", pod.key, problem)
        return problem is None

    async def _follow(self, pod: Pod) -> None:
        """Follow a pod through restarts of its container, until it is gone or over."""
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
        """Read what a container writes until it ends; tell whether it has ended, or was only cut off."""
        known = self._progress.position(_short(pod))
        from_now = known is None and self._from_now.get(pod.uid) == pod.started_at
        sources = [self._read(pod, follow=True, tail=0 if from_now else None)]
        if pod.restarts and known is not None:
            sources.insert(0, self._read(pod, previous=True))  # what it wrote last, if nobody has read it yet
        try:
            for source in sources:
                await self._queue.put((pod, None))  # in its turn: lines of before may still wait there
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
        """Yield a container's lines, from its position on. What cannot be read has no lines."""
        position = self._progress.position(_short(pod))
        chunks = self._gateway.client.logs(
            *pod.key,
            container=pod.container,
            follow=follow,
            previous=previous,
            tail=tail if position is None else None,
            since=position.since if position else None,
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
                raise  # it may be there, but not now
            # Else the container has not started, or its log is gone.
        finally:
            await chunks.aclose()


def _short(pod: Pod) -> str:
    return pod.uid.replace("-", "")[:8]
