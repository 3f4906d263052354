"""Streams of logs that are followed: new lines, restarts, new replicas, cuts."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mill_gateway.access.access import ANONYMOUS
from mill_gateway.core.log_lines import Progress
from mill_gateway.objects.pods import Pod, Program
from mill_gateway.streams.logs import LogQuery, LogStream
from mill_kube.errors import ApiError, Unreachable
from mill_kube.logs import LogOptions
from tests.support.apiserver import ContainerLog
from tests.support.gateway.objects import job, mill_deployment
from tests.support.gateway.pod_logs import WEB, named_pod, set_logs, shown_lines, timed_lines
from tests.support.gateway.served import Serve, Served


async def test_a_moment_counts_for_a_log_that_is_followed(serve: Serve) -> None:
    """A replica without lines since then has no position, and is read from that moment."""
    async with serve(mill_deployment(WEB), named_pod("web-0")) as served:
        container = ContainerLog()
        set_logs(served, web_0=container)
        await container.write(*timed_lines((1, "old")))
        reader = Reader(served, "web", since="2026-02-14T10:00:05Z")
        await asyncio.sleep(0.02)
        await container.write(*timed_lines((6, "new")))
        await reader.has("web-0: new")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


class Reader:
    """Reads a stream while a test does something else."""

    def __init__(self, served: Served, name: str, *, tail: int = 10, since: str | None = None) -> None:
        wanted = LogQuery(tail=tail, follow=True, previous=True, since=since)
        self.events: list[bytes] = []
        self.slots = served.gateway.streams.acquire("logs", ANONYMOUS)
        stream = LogStream(
            served.gateway.log_source, served.gateway.logs.select("default", name), wanted, Progress(), self.slots
        )
        self.task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: LogStream) -> None:
        async for event in stream.events():
            self.events.append(event)

    @property
    def told(self) -> list[str]:
        return shown_lines(b"".join(self.events).decode())

    async def has(self, *lines: str) -> None:
        async with asyncio.timeout(2):
            while self.told != list(lines):  # noqa: ASYNC110 - what is waited for is many steps away
                await asyncio.sleep(0.005)


async def test_a_service_is_followed_through_restarts_and_new_replicas(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod("web-0")) as served:
        first, second, again = ContainerLog(), ContainerLog(), ContainerLog()
        set_logs(served, web_0=first, web_1=second)
        await first.write(*timed_lines((1, "old")))
        reader = Reader(served, "web")
        await reader.has("web-0: old")
        await first.write(*timed_lines((2, "new")))
        served.have(named_pod("web-1"))
        await second.write(*timed_lines((3, "hello")))
        await reader.has("web-0: old", "web-0: new", "web-1: hello")
        # It ends and restarts.
        served.have(
            named_pod("web-0", ready=False, state={"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 1}})
        )
        await first.write(*timed_lines((4, "panic")), end=True)
        await reader.has("web-0: old", "web-0: new", "web-1: hello", "web-0: panic")
        again.lines = []
        set_logs(served, web_0=again)
        served.have(named_pod("web-0", restarts=1, state={"running": {"startedAt": "2026-02-14T10:00:05Z"}}))
        await again.write(*timed_lines((5, "again")))
        await reader.has("web-0: old", "web-0: new", "web-1: hello", "web-0: panic", "web-0: again")
        assert not reader.task.done(), "a service may have other replicas later"
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        assert served.api.open_logs == 0, "a reader that leaves ends the requests"
        assert len(served.gateway.stores.pods.subscriptions) == 0


async def test_a_tail_of_zero_gets_only_later_lines(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod("web-0")) as served:
        old, new = ContainerLog(), ContainerLog()
        set_logs(served, web_0=old, web_1=new)
        await old.write(*timed_lines((1, "old")))
        reader = Reader(served, "web", tail=0)
        await asyncio.sleep(0.02)
        await old.write(*timed_lines((2, "new")))
        await reader.has("web-0: new")
        await new.write(*timed_lines((3, "from its first line")))
        served.have(named_pod("web-1"))
        await reader.has("web-0: new", "web-1: from its first line")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_run_is_followed_to_its_end(serve: Serve) -> None:
    async with serve(mill_deployment(), job("t-1", "t")) as served:
        container = ContainerLog()
        set_logs(served, t_0=container)
        reader = Reader(served, "t-1")
        await asyncio.sleep(0.01)
        assert not reader.task.done(), "its pod may come"
        served.have(named_pod("t-0", kind="task", run="t-1", ready=False))
        await container.write(*timed_lines((1, "working")))
        await reader.has("t-0: working")
        over = {"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 0}}
        served.have(named_pod("t-0", kind="task", run="t-1", ready=False, phase="Succeeded", state=over))
        await container.write(*timed_lines((2, "done")), end=True)
        await reader.has("t-0: working", "t-0: done")
        assert not reader.task.done()
        served.have(job("t-1", "t", status={"conditions": [{"type": "Complete", "status": "True"}]}))
        await asyncio.wait_for(reader.task, 2)


async def test_a_log_that_is_cut_off_is_resumed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    async with serve(mill_deployment(WEB), named_pod("web-0")) as served:
        container = ContainerLog()
        set_logs(served, web_0=container)
        await container.write(*timed_lines((1, "a")))
        reader = Reader(served, "web")
        await reader.has("web-0: a")
        await container.write(*timed_lines((2, "b")), end=True)  # the connection, not the container
        await reader.has("web-0: a", "web-0: b")
        container.has_ended = False
        await container.write(*timed_lines((2, "c")))
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_slow_client_stops_the_reading(serve: Serve) -> None:
    taken = 0

    async def endless(options: LogOptions) -> AsyncIterator[bytes]:
        nonlocal taken
        while options.follow:
            taken += 1
            yield timed_lines((1, "x" * 1000))[0]
            await asyncio.sleep(0)

    async with serve(mill_deployment(WEB), named_pod("web-0")) as served:
        set_logs(served, web_0=endless)
        wanted = LogQuery(tail=10, follow=True, previous=True)
        slots = served.gateway.streams.acquire("logs", ANONYMOUS)
        selected = served.gateway.logs.select("default", "web")
        stream = LogStream(served.gateway.log_source, selected, wanted, Progress(), slots).events()
        await anext(stream)
        await asyncio.sleep(0.1)
        assert taken < 300
        before = taken
        await asyncio.sleep(0.1)
        assert taken == before
        await stream.aclose()
        assert served.api.open_logs == 0


async def test_an_api_server_that_does_not_answer_is_asked_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are requests for the log before a restart."""
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    async with serve(mill_deployment(WEB), named_pod(restarts=1)) as served:
        container, away = ContainerLog(), False

        async def read(options: LogOptions) -> AsyncIterator[bytes]:
            if away:
                raise Unreachable("refused")
            if options.previous:
                raise ApiError(400, "BadRequest", "previous terminated container not found")
            async for chunk in container.read(options):
                yield chunk

        set_logs(served, web_0=read)
        await container.write(*timed_lines((1, "a")))
        reader = Reader(served, "web")
        await reader.has("web-0: a")
        away = True
        await container.write(*timed_lines((2, "b")), end=True)  # the connection, not the container
        await reader.has("web-0: a", "web-0: b")
        await asyncio.sleep(0.05)
        container.has_ended = away = False
        await container.write(*timed_lines((3, "c")))
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_the_rest_of_a_container_that_has_ended_is_read_after_a_cut(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    over = {"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 1}}
    lines, cuts = timed_lines((1, "a"), (2, "b"), (3, "c")), 0

    async def read(options: LogOptions) -> AsyncIterator[bytes]:
        nonlocal cuts
        if options.follow and not cuts:
            cuts += 1
            yield lines[1]
            raise Unreachable("cut off")
        for each in lines[:1] if options.tail else lines:
            yield each

    async with serve(mill_deployment(WEB), named_pod(ready=False, state=over)) as served:
        set_logs(served, web_0=read)
        reader = Reader(served, "web")
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_lines_are_shown_whatever_their_order(serve: Serve) -> None:
    """Lines of standard output and error get their times before their order."""
    async with serve(mill_deployment(WEB), named_pod()) as served:
        container = ContainerLog()
        set_logs(served, web_0=container)
        await container.write(*timed_lines((30, "a")))
        reader = Reader(served, "web")
        await reader.has("web-0: a")
        await container.write(*timed_lines((31, "b")))
        await container.write(*timed_lines((30, "c")))
        await container.write(*timed_lines((31, "d")))
        await reader.has(*(f"web-0: {each}" for each in "abcd"))
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_stream_of_a_run_is_not_notified_by_other_runs_of_the_task(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be very many runs, and each notified reader reads all of them."""
    mine = named_pod("t-0", kind="task", run="t-1")
    async with serve(mill_deployment(), job("t-1", "t"), mine) as served:
        container, looks = ContainerLog(), 0
        set_logs(served, t_0=container)
        await container.write(*timed_lines((1, "working")))
        reader = Reader(served, "t-1")
        await reader.has("t-0: working")
        await asyncio.sleep(0.01)
        pods = served.gateway.stores.pods
        in_group = pods.in_group

        def counted(program: Program) -> list[Pod]:
            nonlocal looks
            looks += 1
            return in_group(program)

        monkeypatch.setattr(pods, "in_group", counted)
        served.have(named_pod("t-9", kind="task", run="t-2"))
        await asyncio.sleep(0.01)
        assert looks == 0
        served.have(mine)
        await asyncio.sleep(0.01)
        assert looks == 1
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        assert len(pods.subscriptions) == 0
