"""Streams of logs."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import datetime, tzinfo
from typing import Any

import pytest

from mill_gateway.access.access import ANONYMOUS
from mill_gateway.core.log_lines import Progress
from mill_gateway.objects.pods import Pod, Program
from mill_gateway.streams.logs import LogQuery, LogStream
from mill_kube.errors import ApiError, Unreachable
from mill_kube.logs import LogOptions
from tests.support.apiserver import ContainerLog
from tests.support.apiserver.logs import Log
from tests.support.gateway.objects import job, mill_deployment, pod
from tests.support.gateway.served import Serve, Served

WEB = {"name": "web", "image": "web:1"}
UIDS = {"web-0": "aaaaaaaa-0000", "web-1": "bbbbbbbb-0000"}


def _pod(name: str = "web-0", **how: Any) -> dict[str, Any]:
    program, _, suffix = name.partition("-")
    made = pod(program, suffix, **how)
    made["metadata"]["uid"] = UIDS.get(name, "cccccccc-0000")
    return made


def _lines(*lines: tuple[int, str]) -> list[bytes]:
    return [f"2026-02-14T10:00:{second:02}Z {text}\n".encode() for second, text in lines]


def _log(*lines: tuple[int, str], previous: list[bytes] | None = None) -> ContainerLog:
    """Return the log of a container that writes no more."""
    return ContainerLog(_lines(*lines), previous, has_ended=True)


def _set(served: Served, **logs: ContainerLog | Log) -> None:
    """Let the API server read these logs, by pod."""
    for name, log in logs.items():
        pod_name = name.replace("_", "-")
        served.api.logs["default", pod_name] = log.read if isinstance(log, ContainerLog) else log


def _told(text: str) -> list[str]:
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]
    return [f"{each['alloc']}: {each['line']}" for each in events]


async def test_the_last_lines_of_all_replicas_by_time(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod("web-0"), _pod("web-1")) as served:
        _set(served, web_0=_log((1, "a"), (3, "c"), (5, "e")), web_1=_log((2, "b"), (4, "d")))
        answer = await served.http.get("/v1/logs/web?follow=false")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert _told(answer.text) == ["web-0: a", "web-1: b", "web-0: c", "web-1: d", "web-0: e"]
        two = await served.http.get("/v1/logs/web?follow=false&tail=1")
        assert _told(two.text) == ["web-1: d", "web-0: e"]
        assert _told((await served.http.get("/v1/logs/web-1?follow=false")).text) == ["web-1: b", "web-1: d"]
        assert served.api.open_logs == 0


async def test_lines_before_a_restart_fill_up_the_tail(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod(restarts=1)) as served:
        _set(served, web_0=_log((5, "again"), previous=_lines((1, "a"), (2, "panic"))))

        async def told(query: str) -> list[str]:
            return _told((await served.http.get(f"/v1/logs/web?follow=false&{query}")).text)

        assert await told("tail=5") == ["web-0: a", "web-0: panic", "web-0: again"]
        assert await told("tail=2") == ["web-0: panic", "web-0: again"]
        assert await told("tail=1") == ["web-0: again"]
        assert await told("previous=false") == ["web-0: again"]


async def test_only_lines_from_before_a_restart(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod("web-0", restarts=2), _pod("web-1")) as served:
        first = _log((5, "again"), previous=_lines((1, "a"), (2, "b"), (3, "panic")))
        _set(served, web_0=first, web_1=_log((4, "never restarted")))

        async def told(query: str) -> str:
            return (await served.http.get(f"/v1/logs/web?before_restart=true&{query}")).text

        assert _told(await told("")) == ["web-0: a", "web-0: b", "web-0: panic"]
        assert _told(await told("follow=true&tail=2")) == ["web-0: b", "web-0: panic"]
        served.have(_pod("web-0"))
        assert await told("") == "event: error\r\ndata: no container of 'web' has restarted\r\n\r\n"
        assert served.api.open_logs == 0


async def test_only_lines_since_a_moment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 2, 14, 10, 0, 10, 500_000, tz)

    monkeypatch.setattr("mill_gateway.routes.logs.datetime", Clock)
    many = [(second, f"{second}") for second in range(1, 10) for _ in range(100)]
    async with serve(mill_deployment(WEB), _pod(restarts=1)) as served:
        _set(served, web_0=_log(*many, previous=_lines((0, "before"))))

        async def told(query: str) -> list[str]:
            return _told((await served.http.get(f"/v1/logs/web?follow=false&{query}")).text)

        assert await told("since=7") == [f"web-0: {text}" for second, text in many if second >= 3], "all of them"
        assert await told("since=7&tail=1") == ["web-0: 9"]
        assert len(await told("since=60")) == 901
        assert len(await told("")) == 200


async def test_a_moment_counts_for_a_log_that_is_followed(serve: Serve) -> None:
    """A replica without lines since then has no position, and is read from that moment."""
    async with serve(mill_deployment(WEB), _pod("web-0")) as served:
        container = ContainerLog()
        _set(served, web_0=container)
        await container.write(*_lines((1, "old")))
        reader = Reader(served, "web", since="2026-02-14T10:00:05Z")
        await asyncio.sleep(0.02)
        await container.write(*_lines((6, "new")))
        await reader.has("web-0: new")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


PULL = {"state": "Failed", "reason": "TagNotFound", "message": "image pull failed: tag not found"}
NEVER = "event: error\r\ndata: run t-1 never started: image pull failed: tag not found (TagNotFound)\r\n\r\n"


def _status(**run: Any) -> dict[str, Any]:
    return {"tasks": [{"name": "t", "runs": [{"name": "t-1", "createdAt": "2026-02-14T10:00:00Z", **run}]}]}


@pytest.mark.parametrize("query", ["follow=false", "follow=true"])
@pytest.mark.parametrize("has_job", [True, False])
async def test_a_run_that_never_started_says_why(serve: Serve, query: str, has_job: bool) -> None:
    objects = [mill_deployment(status=_status(**PULL), tasks=[{"name": "t", "image": "t:1"}])]
    if has_job:
        objects.append(job("t-1", "t", status={"conditions": [{"type": "Failed", "status": "True"}]}))
        waiting = {"waiting": {"reason": "ImagePullBackOff"}}
        objects.append(_pod("t-0", kind="task", run="t-1", ready=False, phase="Failed", state=waiting))
    async with serve(*objects) as served:
        refused: Log = _no_log
        _set(served, t_0=refused)
        assert (await served.http.get(f"/v1/logs/t-1?{query}")).text == NEVER
        assert (await served.http.get("/v1/logs/t?follow=false")).text == NEVER, "the newest run of the task"
        assert "nope" in (await served.http.get(f"/v1/logs/nope?{query}")).text


async def test_a_run_whose_pod_is_gone_says_so(serve: Serve) -> None:
    over = {"state": "Succeeded", "startedAt": "2026-02-14T10:00:01Z", "finishedAt": "2026-02-14T10:00:02Z"}
    async with serve(mill_deployment(status=_status(**over))) as served:
        answer = await served.http.get("/v1/logs/t-1")
        assert "the logs of run t-1 are gone with its pod: it succeeded" in answer.text


async def test_a_program_that_wrote_nothing_has_no_error(serve: Serve) -> None:
    over = {"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 0}}
    silent = _pod("t-0", kind="task", run="t-1", ready=False, phase="Succeeded", state=over)
    async with serve(mill_deployment(), job("t-1", "t"), silent) as served:
        _set(served, t_0=_log())
        assert (await served.http.get("/v1/logs/t-1?follow=false")).text == ""


async def _no_log(_options: LogOptions) -> AsyncIterator[bytes]:
    raise ApiError(400, "BadRequest", "container is waiting to start: image can't be pulled")
    yield b""


async def test_a_resumed_client_gets_the_rest(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod("web-0"), _pod("web-1")) as served:
        _set(served, web_0=_log((1, "a"), (3, "c1"), (3, "c2")), web_1=_log((2, "b"), (3, "d")))
        whole = (await served.http.get("/v1/logs/web?follow=false")).text
        ids = [line.removeprefix("id: ") for line in whole.splitlines() if line.startswith("id: ")]
        for number, event_id in enumerate(ids, start=1):
            rest = await served.http.get("/v1/logs/web?follow=false", headers={"Last-Event-ID": event_id})
            assert sorted(_told(rest.text)) == sorted(_told(whole)[number:]), event_id


@pytest.mark.parametrize("query", ["follow=false", "follow=true"])
async def test_an_unknown_name_is_one_event(serve: Serve, query: str) -> None:
    async with serve(mill_deployment(WEB)) as served:
        answer = await served.http.get(f"/v1/logs/nope?{query}")
        assert (answer.status_code, answer.text) == (
            200,
            "event: error\r\ndata: no allocations found for 'nope'\r\n\r\n",
        )


@pytest.mark.parametrize(
    "query",
    ["follow=maybe", "tail=-1", "tail=x", "tail=10001", "since=0", "since=x", "since=999999999", "before_restart=x"],
)
async def test_invalid_parameters_are_refused(serve: Serve, query: str) -> None:
    async with serve(mill_deployment(WEB)) as served:
        assert (await served.http.get(f"/v1/logs/web?{query}")).status_code == 400
        wrong = await served.http.get("/v1/logs/web", headers={"Last-Event-ID": "nonsense"})
        assert wrong.status_code == 400


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
        return _told(b"".join(self.events).decode())

    async def has(self, *lines: str) -> None:
        async with asyncio.timeout(2):
            while self.told != list(lines):  # noqa: ASYNC110 - what is waited for is many steps away
                await asyncio.sleep(0.005)


async def test_a_service_is_followed_through_restarts_and_new_replicas(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod("web-0")) as served:
        first, second, again = ContainerLog(), ContainerLog(), ContainerLog()
        _set(served, web_0=first, web_1=second)
        await first.write(*_lines((1, "old")))
        reader = Reader(served, "web")
        await reader.has("web-0: old")
        await first.write(*_lines((2, "new")))
        served.have(_pod("web-1"))
        await second.write(*_lines((3, "hello")))
        await reader.has("web-0: old", "web-0: new", "web-1: hello")
        # It ends and restarts.
        served.have(
            _pod("web-0", ready=False, state={"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 1}})
        )
        await first.write(*_lines((4, "panic")), end=True)
        await reader.has("web-0: old", "web-0: new", "web-1: hello", "web-0: panic")
        again.lines = []
        _set(served, web_0=again)
        served.have(_pod("web-0", restarts=1, state={"running": {"startedAt": "2026-02-14T10:00:05Z"}}))
        await again.write(*_lines((5, "again")))
        await reader.has("web-0: old", "web-0: new", "web-1: hello", "web-0: panic", "web-0: again")
        assert not reader.task.done(), "a service may have other replicas later"
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        assert served.api.open_logs == 0, "a reader that leaves ends the requests"
        assert len(served.gateway.stores.pods.subscriptions) == 0


async def test_a_tail_of_zero_gets_only_later_lines(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod("web-0")) as served:
        old, new = ContainerLog(), ContainerLog()
        _set(served, web_0=old, web_1=new)
        await old.write(*_lines((1, "old")))
        reader = Reader(served, "web", tail=0)
        await asyncio.sleep(0.02)
        await old.write(*_lines((2, "new")))
        await reader.has("web-0: new")
        await new.write(*_lines((3, "from its first line")))
        served.have(_pod("web-1"))
        await reader.has("web-0: new", "web-1: from its first line")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_run_is_followed_to_its_end(serve: Serve) -> None:
    async with serve(mill_deployment(), job("t-1", "t")) as served:
        container = ContainerLog()
        _set(served, t_0=container)
        reader = Reader(served, "t-1")
        await asyncio.sleep(0.01)
        assert not reader.task.done(), "its pod may come"
        served.have(_pod("t-0", kind="task", run="t-1", ready=False))
        await container.write(*_lines((1, "working")))
        await reader.has("t-0: working")
        over = {"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 0}}
        served.have(_pod("t-0", kind="task", run="t-1", ready=False, phase="Succeeded", state=over))
        await container.write(*_lines((2, "done")), end=True)
        await reader.has("t-0: working", "t-0: done")
        assert not reader.task.done()
        served.have(job("t-1", "t", status={"conditions": [{"type": "Complete", "status": "True"}]}))
        await asyncio.wait_for(reader.task, 2)


async def test_a_log_that_is_cut_off_is_resumed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    async with serve(mill_deployment(WEB), _pod("web-0")) as served:
        container = ContainerLog()
        _set(served, web_0=container)
        await container.write(*_lines((1, "a")))
        reader = Reader(served, "web")
        await reader.has("web-0: a")
        await container.write(*_lines((2, "b")), end=True)  # the connection, not the container
        await reader.has("web-0: a", "web-0: b")
        container.has_ended = False
        await container.write(*_lines((2, "c")))
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_slow_client_stops_the_reading(serve: Serve) -> None:
    taken = 0

    async def endless(options: LogOptions) -> AsyncIterator[bytes]:
        nonlocal taken
        while options.follow:
            taken += 1
            yield _lines((1, "x" * 1000))[0]
            await asyncio.sleep(0)

    async with serve(mill_deployment(WEB), _pod("web-0")) as served:
        _set(served, web_0=endless)
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
    async with serve(mill_deployment(WEB), _pod(restarts=1)) as served:
        container, away = ContainerLog(), False

        async def read(options: LogOptions) -> AsyncIterator[bytes]:
            if away:
                raise Unreachable("refused")
            if options.previous:
                raise ApiError(400, "BadRequest", "previous terminated container not found")
            async for chunk in container.read(options):
                yield chunk

        _set(served, web_0=read)
        await container.write(*_lines((1, "a")))
        reader = Reader(served, "web")
        await reader.has("web-0: a")
        away = True
        await container.write(*_lines((2, "b")), end=True)  # the connection, not the container
        await reader.has("web-0: a", "web-0: b")
        await asyncio.sleep(0.05)
        container.has_ended = away = False
        await container.write(*_lines((3, "c")))
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_the_rest_of_a_container_that_has_ended_is_read_after_a_cut(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    over = {"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 1}}
    lines, cuts = _lines((1, "a"), (2, "b"), (3, "c")), 0

    async def read(options: LogOptions) -> AsyncIterator[bytes]:
        nonlocal cuts
        if options.follow and not cuts:
            cuts += 1
            yield lines[1]
            raise Unreachable("cut off")
        for each in lines[:1] if options.tail else lines:
            yield each

    async with serve(mill_deployment(WEB), _pod(ready=False, state=over)) as served:
        _set(served, web_0=read)
        reader = Reader(served, "web")
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_container_that_waits_for_its_restart_is_read_once(serve: Serve) -> None:
    """Kubernetes gives the log of the one that has ended for the current one, and for the previous one as well."""
    crash_loop = {"waiting": {"reason": "CrashLoopBackOff"}}
    async with serve(mill_deployment(WEB), _pod(restarts=2, ready=False, state=crash_loop)) as served:
        lines = _lines((1, "a"), (2, "panic"))
        _set(served, web_0=ContainerLog(lines, lines, has_ended=True))
        told = (await served.http.get("/v1/logs/web?follow=false")).text
        assert _told(told) == ["web-0: a", "web-0: panic"]


async def test_a_restart_that_is_not_observed_yet_repeats_no_line(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod(restarts=2)) as served:
        lines = _lines((1, "a"), (2, "panic"), (2, "panic"))
        _set(served, web_0=ContainerLog(lines, lines, has_ended=True))
        told = (await served.http.get("/v1/logs/web?follow=false")).text
        assert _told(told) == ["web-0: a", "web-0: panic", "web-0: panic"]


async def test_lines_are_shown_whatever_their_order(serve: Serve) -> None:
    """Lines of standard output and error get their times before their order."""
    async with serve(mill_deployment(WEB), _pod()) as served:
        container = ContainerLog()
        _set(served, web_0=container)
        await container.write(*_lines((30, "a")))
        reader = Reader(served, "web")
        await reader.has("web-0: a")
        await container.write(*_lines((31, "b")))
        await container.write(*_lines((30, "c")))
        await container.write(*_lines((31, "d")))
        await reader.has(*(f"web-0: {each}" for each in "abcd"))
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_resumed_client_gets_all_lines_of_a_new_replica(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod("web-0")) as served:
        _set(served, web_0=_log((1, "a")))
        first = (await served.http.get("/v1/logs/web?follow=false&tail=1")).text
        (last,) = (line.removeprefix("id: ") for line in first.splitlines() if line.startswith("id: "))
        served.have(_pod("web-1"))
        _set(served, web_1=_log((2, "b"), (3, "c"), (4, "d")))
        rest = await served.http.get("/v1/logs/web?follow=false&tail=1", headers={"Last-Event-ID": last})
        assert _told(rest.text) == ["web-1: b", "web-1: c", "web-1: d"]


async def test_a_name_cannot_write_events(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        answer = await served.http.get("/v1/logs/a%0D%0A%0D%0Adata:%20b")
        assert "\ndata: b" not in answer.text


async def test_many_lines_do_not_block_other_requests(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), _pod()) as served:
        text = b"".join(_lines((1, "a")) * 10_000)

        async def at_once(options: LogOptions) -> AsyncIterator[bytes]:
            yield text

        _set(served, web_0=at_once)
        wanted = LogQuery(tail=10_000, follow=False, previous=True)
        slots = served.gateway.streams.acquire("logs", ANONYMOUS)
        selected = served.gateway.logs.select("default", "web")
        stream = LogStream(served.gateway.log_source, selected, wanted, Progress(), slots)
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        assert len([None async for _ in stream.events()]) == 10_000
        task.cancel()
        assert turns >= 100


async def test_no_line_is_logged_whatever_the_level(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(mill_deployment(WEB), _pod()) as served:
        _set(served, web_0=_log((1, "confidential")))
        assert "confidential" in (await served.http.get("/v1/logs/web?follow=false")).text
    assert "confidential" not in caplog.text


async def test_a_stream_of_a_run_is_not_notified_by_other_runs_of_the_task(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be very many runs, and each notified reader reads all of them."""
    mine = _pod("t-0", kind="task", run="t-1")
    async with serve(mill_deployment(), job("t-1", "t"), mine) as served:
        container, looks = ContainerLog(), 0
        _set(served, t_0=container)
        await container.write(*_lines((1, "working")))
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
        served.have(_pod("t-9", kind="task", run="t-2"))
        await asyncio.sleep(0.01)
        assert looks == 0
        served.have(mine)
        await asyncio.sleep(0.01)
        assert looks == 1
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        assert len(pods.subscriptions) == 0
