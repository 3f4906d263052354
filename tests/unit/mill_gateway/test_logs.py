"""Streams of logs, from recorded pods."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mill_gateway.access.access import ANONYMOUS
from mill_gateway.core.log_lines import Progress
from mill_gateway.objects.pods import Pod, Program
from mill_gateway.streams.logs import LogQuery, LogStream
from mill_kube.errors import ApiError, Unreachable

from .conftest import Recorded, Serve
from .objects import job, mill_deployment, pod

WEB = {"name": "web", "image": "web:1"}
UIDS = {"web-0": "aaaaaaaa-0000", "web-1": "bbbbbbbb-0000"}


def _pod(name: str = "web-0", **how: Any) -> dict[str, Any]:
    program, _, suffix = name.partition("-")
    made = pod(program, suffix, **how)
    made["metadata"]["uid"] = UIDS.get(name, "cccccccc-0000")
    return made


def _lines(*lines: tuple[int, str]) -> list[bytes]:
    return [f"2026-02-14T10:00:{second:02}Z {text}\n".encode() for second, text in lines]


def _written(current: list[bytes], previous: list[bytes] | None = None) -> Any:
    """A container that has written this, and has ended or writes no more."""

    async def read(asked_previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
        lines = previous if asked_previous else current
        if lines is None:
            raise ApiError(400, "BadRequest", "previous terminated container not found")
        known = [each for each in lines if since is None or each[:20].decode() >= since]
        for each in known if tail is None else known[len(known) - min(tail, len(known)) :]:
            yield each

    return read


def _told(text: str) -> list[str]:
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]
    return [f"{each['alloc']}: {each['line']}" for each in events]


async def test_the_last_lines_of_all_replicas_by_time(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod("web-0"), _pod("web-1")) as recorded:
        recorded.kube.written |= {
            "web-0": _written(_lines((1, "a"), (3, "c"), (5, "e"))),
            "web-1": _written(_lines((2, "b"), (4, "d"))),
        }
        answer = await recorded.http.get("/v1/logs/web?follow=false")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert _told(answer.text) == ["web-0: a", "web-1: b", "web-0: c", "web-1: d", "web-0: e"]
        two = await recorded.http.get("/v1/logs/web?follow=false&tail=1")
        assert _told(two.text) == ["web-1: d", "web-0: e"]
        assert _told((await recorded.http.get("/v1/logs/web-1?follow=false")).text) == ["web-1: b", "web-1: d"]
        assert recorded.kube.reading == 0


async def test_lines_before_a_restart_fill_up_the_tail(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod(restarts=1)) as recorded:
        recorded.kube.written["web-0"] = _written(_lines((5, "again")), _lines((1, "a"), (2, "panic")))

        async def told(query: str) -> list[str]:
            return _told((await recorded.http.get(f"/v1/logs/web?follow=false&{query}")).text)

        assert await told("tail=5") == ["web-0: a", "web-0: panic", "web-0: again"]
        assert await told("tail=2") == ["web-0: panic", "web-0: again"]
        assert await told("tail=1") == ["web-0: again"]
        assert await told("previous=false") == ["web-0: again"]


async def test_a_resumed_client_gets_the_rest(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod("web-0"), _pod("web-1")) as recorded:
        recorded.kube.written |= {
            "web-0": _written(_lines((1, "a"), (3, "c1"), (3, "c2"))),
            "web-1": _written(_lines((2, "b"), (3, "d"))),
        }
        whole = (await recorded.http.get("/v1/logs/web?follow=false")).text
        ids = [line.removeprefix("id: ") for line in whole.splitlines() if line.startswith("id: ")]
        for number, event_id in enumerate(ids, start=1):
            rest = await recorded.http.get("/v1/logs/web?follow=false", headers={"Last-Event-ID": event_id})
            assert sorted(_told(rest.text)) == sorted(_told(whole)[number:]), event_id


@pytest.mark.parametrize("query", ["follow=false", "follow=true"])
async def test_an_unknown_name_is_one_event(served: Serve, query: str) -> None:
    async with served(mill_deployment(WEB)) as recorded:
        answer = await recorded.http.get(f"/v1/logs/nope?{query}")
        assert (answer.status_code, answer.text) == (
            200,
            "event: error\r\ndata: no allocations found for 'nope'\r\n\r\n",
        )


@pytest.mark.parametrize("query", ["follow=maybe", "tail=-1", "tail=x", "tail=10001"])
async def test_invalid_parameters_are_refused(served: Serve, query: str) -> None:
    async with served(mill_deployment(WEB)) as recorded:
        assert (await recorded.http.get(f"/v1/logs/web?{query}")).status_code == 400
        wrong = await recorded.http.get("/v1/logs/web", headers={"Last-Event-ID": "nonsense"})
        assert wrong.status_code == 400


class Reader:
    """Reads a stream while a test does something else."""

    def __init__(self, recorded: Recorded, name: str, *, tail: int = 10) -> None:
        wanted = LogQuery(tail=tail, follow=True, previous=True)
        self.events: list[bytes] = []
        self.slots = recorded.gateway.streams.acquire("logs", ANONYMOUS)
        stream = LogStream(
            recorded.gateway.log_source, recorded.gateway.logs.select("default", name), wanted, Progress(), self.slots
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


class Container:
    """A container that a test lets write."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.changed = asyncio.Condition()
        self.ended = False

    async def write(self, second: int, text: str, *, end: bool = False) -> None:
        async with self.changed:
            self.lines += _lines((second, text))
            self.ended = end
            self.changed.notify_all()

    async def read(self, previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
        sent = 0 if tail is None else len(self.lines) - min(tail, len(self.lines))
        while True:
            for each in self.lines[sent:]:
                if since is None or each[:20].decode() >= since:
                    yield each
            sent = len(self.lines)
            if not follow or self.ended:
                return
            async with self.changed:
                await self.changed.wait_for(lambda read=sent: len(self.lines) > read or self.ended)


async def test_a_service_is_followed_through_restarts_and_new_replicas(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod("web-0")) as recorded:
        first, second, again = Container(), Container(), Container()
        recorded.kube.written |= {"web-0": first.read, "web-1": second.read}
        await first.write(1, "old")
        reader = Reader(recorded, "web")
        await reader.has("web-0: old")
        await first.write(2, "new")
        recorded.have(_pod("web-1"))
        await second.write(3, "hello")
        await reader.has("web-0: old", "web-0: new", "web-1: hello")
        # It ends, and starts anew.
        recorded.have(
            _pod("web-0", ready=False, state={"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 1}})
        )
        await first.write(4, "panic", end=True)
        await reader.has("web-0: old", "web-0: new", "web-1: hello", "web-0: panic")
        again.lines = []
        recorded.kube.written["web-0"] = again.read
        recorded.have(_pod("web-0", restarts=1, state={"running": {"startedAt": "2026-02-14T10:00:05Z"}}))
        await again.write(5, "again")
        await reader.has("web-0: old", "web-0: new", "web-1: hello", "web-0: panic", "web-0: again")
        assert not reader.task.done(), "a service may have other replicas later"
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        assert recorded.kube.reading == 0, "who leaves stops the reading"
        assert len(recorded.gateway.stores.pods.subscriptions) == 0


async def test_a_tail_of_zero_gets_only_later_lines(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod("web-0")) as recorded:
        old, new = Container(), Container()
        recorded.kube.written |= {"web-0": old.read, "web-1": new.read}
        await old.write(1, "old")
        reader = Reader(recorded, "web", tail=0)
        await asyncio.sleep(0.02)
        await old.write(2, "new")
        await reader.has("web-0: new")
        await new.write(3, "from its first line")
        recorded.have(_pod("web-1"))
        await reader.has("web-0: new", "web-1: from its first line")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_run_is_followed_to_its_end(served: Serve) -> None:
    async with served(mill_deployment(), job("t-1", "t")) as recorded:
        container = Container()
        recorded.kube.written["t-0"] = container.read
        reader = Reader(recorded, "t-1")
        await asyncio.sleep(0.01)
        assert not reader.task.done(), "its pod may come"
        recorded.have(_pod("t-0", kind="task", run="t-1", ready=False))
        await container.write(1, "working")
        await reader.has("t-0: working")
        over = {"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 0}}
        recorded.have(_pod("t-0", kind="task", run="t-1", ready=False, phase="Succeeded", state=over))
        await container.write(2, "done", end=True)
        await reader.has("t-0: working", "t-0: done")
        assert not reader.task.done()
        recorded.have(job("t-1", "t", status={"conditions": [{"type": "Complete", "status": "True"}]}))
        await asyncio.wait_for(reader.task, 2)


async def test_a_log_that_is_cut_off_is_resumed(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    async with served(mill_deployment(WEB), _pod("web-0")) as recorded:
        container = Container()
        recorded.kube.written["web-0"] = container.read
        await container.write(1, "a")
        reader = Reader(recorded, "web")
        await reader.has("web-0: a")
        await container.write(2, "b", end=True)  # the connection, not the container
        await reader.has("web-0: a", "web-0: b")
        container.ended = False
        await container.write(2, "c")
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_slow_client_stops_the_reading(served: Serve) -> None:
    taken = 0

    async def endless(previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
        nonlocal taken
        while follow:
            taken += 1
            yield _lines((1, "x" * 1000))[0]
            await asyncio.sleep(0)

    async with served(mill_deployment(WEB), _pod("web-0")) as recorded:
        recorded.kube.written["web-0"] = endless
        wanted = LogQuery(tail=10, follow=True, previous=True)
        slots = recorded.gateway.streams.acquire("logs", ANONYMOUS)
        selected = recorded.gateway.logs.select("default", "web")
        stream = LogStream(recorded.gateway.log_source, selected, wanted, Progress(), slots).events()
        await anext(stream)
        await asyncio.sleep(0.1)
        assert taken < 300
        before = taken
        await asyncio.sleep(0.1)
        assert taken == before
        await stream.aclose()
        assert recorded.kube.reading == 0


async def test_an_api_server_that_does_not_answer_is_asked_again(
    served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for what a container wrote before its restart."""
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    async with served(mill_deployment(WEB), _pod(restarts=1)) as recorded:
        container, away = Container(), False

        async def read(previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
            if away:
                raise Unreachable("refused")
            if previous:
                raise ApiError(400, "BadRequest", "previous terminated container not found")
            async for chunk in container.read(previous, follow, tail, since):
                yield chunk

        recorded.kube.written["web-0"] = read
        await container.write(1, "a")
        reader = Reader(recorded, "web")
        await reader.has("web-0: a")
        away = True
        await container.write(2, "b", end=True)  # the connection, not the container
        await reader.has("web-0: a", "web-0: b")
        await asyncio.sleep(0.05)
        container.ended = away = False
        await container.write(3, "c")
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_the_rest_of_a_container_that_has_ended_is_read_after_a_cut(
    served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_gateway.streams.logs.AGAIN_SECONDS", 0.01)
    over = {"terminated": {"startedAt": "2026-02-14T10:00:01Z", "exitCode": 1}}
    lines, cuts = _lines((1, "a"), (2, "b"), (3, "c")), 0

    async def read(previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
        nonlocal cuts
        if follow and not cuts:
            cuts += 1
            yield lines[1]
            raise Unreachable("cut off")
        for each in lines[:1] if tail else lines:
            yield each

    async with served(mill_deployment(WEB), _pod(ready=False, state=over)) as recorded:
        recorded.kube.written["web-0"] = read
        reader = Reader(recorded, "web")
        await reader.has("web-0: a", "web-0: b", "web-0: c")
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_container_that_waits_for_its_restart_is_read_once(served: Serve) -> None:
    """Kubernetes gives the log of the one that has ended for the current one, and for the previous one as well."""
    crash_loop = {"waiting": {"reason": "CrashLoopBackOff"}}
    async with served(mill_deployment(WEB), _pod(restarts=2, ready=False, state=crash_loop)) as recorded:
        lines = _lines((1, "a"), (2, "panic"))
        recorded.kube.written["web-0"] = _written(lines, lines)
        told = (await recorded.http.get("/v1/logs/web?follow=false")).text
        assert _told(told) == ["web-0: a", "web-0: panic"]


async def test_a_restart_that_is_not_observed_yet_repeats_no_line(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod(restarts=2)) as recorded:
        lines = _lines((1, "a"), (2, "panic"), (2, "panic"))
        recorded.kube.written["web-0"] = _written(lines, lines)
        told = (await recorded.http.get("/v1/logs/web?follow=false")).text
        assert _told(told) == ["web-0: a", "web-0: panic", "web-0: panic"]


async def test_lines_are_shown_whatever_their_order(served: Serve) -> None:
    """Lines of standard output and error get their times before their order."""
    async with served(mill_deployment(WEB), _pod()) as recorded:
        container = Container()
        recorded.kube.written["web-0"] = container.read
        await container.write(30, "a")
        reader = Reader(recorded, "web")
        await reader.has("web-0: a")
        await container.write(31, "b")
        await container.write(30, "c")
        await container.write(31, "d")
        await reader.has(*(f"web-0: {each}" for each in "abcd"))
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)


async def test_a_resumed_client_gets_all_lines_of_a_new_replica(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod("web-0")) as recorded:
        recorded.kube.written["web-0"] = _written(_lines((1, "a")))
        first = (await recorded.http.get("/v1/logs/web?follow=false&tail=1")).text
        (last,) = (line.removeprefix("id: ") for line in first.splitlines() if line.startswith("id: "))
        recorded.have(_pod("web-1"))
        recorded.kube.written["web-1"] = _written(_lines((2, "b"), (3, "c"), (4, "d")))
        rest = await recorded.http.get("/v1/logs/web?follow=false&tail=1", headers={"Last-Event-ID": last})
        assert _told(rest.text) == ["web-1: b", "web-1: c", "web-1: d"]


async def test_a_name_cannot_write_events(served: Serve) -> None:
    async with served(mill_deployment(WEB)) as recorded:
        answer = await recorded.http.get("/v1/logs/a%0D%0A%0D%0Adata:%20b")
        assert "\ndata: b" not in answer.text


async def test_many_lines_do_not_block_other_requests(served: Serve) -> None:
    async with served(mill_deployment(WEB), _pod()) as recorded:
        text = b"".join(_lines((1, "a")) * 10_000)

        async def at_once(previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
            yield text

        recorded.kube.written["web-0"] = at_once
        wanted = LogQuery(tail=10_000, follow=False, previous=True)
        slots = recorded.gateway.streams.acquire("logs", ANONYMOUS)
        selected = recorded.gateway.logs.select("default", "web")
        stream = LogStream(recorded.gateway.log_source, selected, wanted, Progress(), slots)
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


async def test_no_line_is_logged_whatever_the_level(served: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(mill_deployment(WEB), _pod()) as recorded:
        recorded.kube.written["web-0"] = _written(_lines((1, "confidential")))
        assert "confidential" in (await recorded.http.get("/v1/logs/web?follow=false")).text
    assert "confidential" not in caplog.text


async def test_a_stream_of_a_run_is_not_notified_by_other_runs_of_the_task(
    served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be very many, and each notification compares all of them."""
    mine = _pod("t-0", kind="task", run="t-1")
    async with served(mill_deployment(), job("t-1", "t"), mine) as recorded:
        container, looks = Container(), 0
        recorded.kube.written["t-0"] = container.read
        await container.write(1, "working")
        reader = Reader(recorded, "t-1")
        await reader.has("t-0: working")
        await asyncio.sleep(0.01)
        pods = recorded.gateway.stores.pods
        in_group = pods.in_group

        def counted(program: Program) -> list[Pod]:
            nonlocal looks
            looks += 1
            return in_group(program)

        monkeypatch.setattr(pods, "in_group", counted)
        recorded.have(_pod("t-9", kind="task", run="t-2"))
        await asyncio.sleep(0.01)
        assert looks == 0
        recorded.have(mine)
        await asyncio.sleep(0.01)
        assert looks == 1
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        assert len(pods.subscriptions) == 0
