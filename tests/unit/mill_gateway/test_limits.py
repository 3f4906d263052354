"""Streams are limited in number and memory, and end when their caller loses the right or the token."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from mill_gateway.access.access import ANONYMOUS
from mill_gateway.core.log_lines import Line, Progress
from mill_gateway.objects.pods import project_pod as seen
from mill_gateway.settings import Settings
from mill_gateway.streams import response
from mill_gateway.streams.line_queue import LineQueue
from mill_gateway.streams.logs import LogQuery, LogStream
from mill_kube.errors import Unreachable
from mill_kube.logs import LogOptions
from mill_kube.resources import MILL_DEPLOYMENTS, SUBJECT_ACCESS_REVIEWS
from tests.support.gateway.objects import mill_deployment, node, pod
from tests.support.gateway.served import Serve, Served

from .access.cluster import KUBERNETES, done, grant

WEB = {"name": "web", "image": "web:1"}
EVENTS = "/v1/deployments/mill/events"
KINDS = {
    "rollout": ("GET", EVENTS, ("get", "milldeployments")),
    "logs": ("GET", "/v1/logs/web", ("get", "pods/log")),
}


async def _hanging(options: LogOptions) -> AsyncIterator[bytes]:
    if options.follow:
        await asyncio.Event().wait()
    yield b""


async def _open(served: Served, method: str, path: str) -> asyncio.Task[Any]:
    """Open a stream that does not end."""
    before = _taken(served)
    task = asyncio.create_task(served.http.request(method, path))
    await _until(lambda: _taken(served) > before or task.done())
    assert not task.done(), task.result().text
    return task


async def _until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not so():  # noqa: ASYNC110 - what is waited for is many steps away
            await asyncio.sleep(0.005)


def _taken(served: Served) -> int:
    return sum(len(each) for each in {*served.gateway.streams.limits.values()})


async def _ends(served: Served, *tasks: asyncio.Task[Any]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert _taken(served) == 0


@pytest.mark.parametrize(
    ("path", "settings", "named"),
    [
        (EVENTS, Settings(max_streams=2), "MILL_MAX_STREAMS allows 2"),
        (EVENTS, Settings(max_streams_per_caller=2), "MILL_MAX_STREAMS_PER_CALLER allows 2"),
        ("/v1/logs/web", Settings(max_log_streams=2), "MILL_MAX_LOG_STREAMS allows 2"),
        ("/v1/logs/web", Settings(max_log_streams_per_caller=2), "MILL_MAX_LOG_STREAMS_PER_CALLER allows 2"),
    ],
)
async def test_one_stream_too_many_is_refused_by_the_settings_name(
    serve: Serve, path: str, settings: Settings, named: str
) -> None:
    async with serve(mill_deployment(WEB), pod("web"), settings=settings) as served:
        served.api.logs["default", "web-0"] = _hanging
        first, second = await _open(served, "GET", path), await _open(served, "GET", path)
        refused = await served.http.get(path)
        assert (refused.status_code, named in refused.json()["error"]) == (429, True), refused.text
        assert (await served.http.head(path)).status_code == 429
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        third = await _open(served, "GET", path)
        assert (await served.http.get("/v1/deployments")).status_code == 200, "only streams are limited"
        await _ends(served, second, third)


async def test_logs_and_rollouts_have_separate_slots(serve: Serve) -> None:
    settings = Settings(max_streams=1, max_log_streams=1)
    async with serve(mill_deployment(WEB), pod("web"), settings=settings) as served:
        served.api.logs["default", "web-0"] = _hanging
        tasks = [await _open(served, "GET", path) for path in (EVENTS, "/v1/logs/web")]
        await _ends(served, *tasks)


@pytest.mark.parametrize("path", ["/v1/deploy", "/v1/restart/web"])
async def test_a_deploy_without_a_stream_slot_is_not_written(serve: Serve, path: str) -> None:
    async with serve(mill_deployment(WEB), settings=Settings(max_streams=1)) as served:
        task = await _open(served, "GET", EVENTS)
        refused = await served.http.post(path, content='service "web" {\n  image = "web:2"\n}\n')
        assert (refused.status_code, done(served)) == (429, [])
        await _ends(served, task)


@pytest.mark.parametrize("path", ["/v1/deploy", "/v1/restart/web", "/v1/deployments/mill/events", "/v1/logs/web"])
async def test_a_stream_that_is_not_opened_keeps_no_slot(serve: Serve, path: str) -> None:
    async with serve(mill_deployment(WEB), settings=Settings(max_streams=1)) as served:
        served.api.remove(MILL_DEPLOYMENTS, "default", "mill")
        served.api.namespaces = {"other"}
        for _ in range(3):
            if path.startswith("/v1/deployments") or "logs" in path:
                assert (await served.http.head(path)).status_code == 200
            else:
                assert (await served.http.post(path, params={"allowEmpty": "true"}, content="")).status_code == 404
        assert _taken(served) == 0


async def test_a_service_counts_once_for_each_of_its_replicas(serve: Serve) -> None:
    pods = [pod("web", str(number)) for number in range(3)]
    async with serve(mill_deployment(WEB), *pods, settings=Settings(max_log_streams=3)) as served:
        served.api.logs |= {("default", f"web-{number}"): _hanging for number in range(4)}
        task = await _open(served, "GET", "/v1/logs/web")
        await _until(lambda: served.api.open_logs == 3)
        refused = await served.http.get("/v1/logs/web-0?follow=false")
        assert (refused.status_code, "3 are open in all" in refused.json()["error"]) == (429, True)
        await _ends(served, task)
        served.have(pod("web", "3"))
        refused = await served.http.get("/v1/logs/web")
        assert (refused.status_code, "4 are asked for" in refused.json()["error"]) == (429, True)


async def test_a_later_replica_waits_for_a_slot_and_loses_no_line(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(mill_deployment(WEB), pod("web", "0"), settings=Settings(max_log_streams=1)) as served:
        over = asyncio.Event()

        async def line(options: LogOptions) -> AsyncIterator[bytes]:
            if options.follow:
                yield b"2026-02-14T10:00:01Z hello\n"
                await over.wait()

        served.api.logs |= {("default", "web-0"): line, ("default", "web-1"): line}
        slots = served.gateway.streams.acquire("logs", ANONYMOUS)
        wanted = LogQuery(tail=10, follow=True, previous=True)
        events = LogStream(
            served.gateway.log_source, served.gateway.logs.select("default", "web"), wanted, Progress(), slots
        )
        told: list[bytes] = []

        async def read() -> None:
            async for each in events.events():
                told.append(each)  # noqa: PERF401 - the list must grow while the stream is open

        task = asyncio.create_task(read())
        await _until(lambda: len(told) == 1)
        served.have(pod("web", "1", uid="another-uid"))
        await _until(lambda: "postponed: " in caplog.text)
        assert [b"web-0" in each for each in told] == [True]
        assert caplog.text.count("postponed: ") == 1
        assert "MILL_MAX_LOG_STREAMS allows 1" in caplog.text
        served.lose("Pod", "default", "web-0")
        over.set()
        await _until(lambda: len(told) == 2)
        assert b"web-1" in told[-1]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        slots.release()
        assert _taken(served) == 0


async def test_the_queue_of_lines_is_limited_by_bytes() -> None:
    where = seen(pod("web"))
    queue = LineQueue(256 * 1024)
    put = 0

    async def fill(text: str) -> None:
        nonlocal put
        while True:
            await queue.put((where, Line(0, text)))
            put += 1

    for text, fewest, most in (("x" * 65_536, 3, 5), ("\N{CRAB}" * 65_536, 1, 2), ("", 500, 1200)):
        queue, put = LineQueue(256 * 1024), 0
        tasks = [asyncio.create_task(fill(text)) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert fewest <= put <= most
        before = put
        for _ in range(2 * before):
            queue.get_nowait()
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert put >= 2 * before, "what is taken makes room"
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the minute between two checks."""
    monkeypatch.setattr(response, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(response, "ACCESS_CHECK_SECONDS", 0.04)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_ends_when_its_caller_loses_the_right(serve: Serve, kind: str) -> None:
    method, path, right = KINDS[kind]
    async with serve(mill_deployment(WEB), pod("web"), settings=KUBERNETES) as served:
        served.api.logs["default", "web-0"] = _hanging
        grant(served, right)
        task = await _open(served, method, path)
        await asyncio.sleep(0.15)
        assert not task.done()
        grant(served)
        answer = await asyncio.wait_for(task, 5)
        words = f"system:serviceaccount:shop:bot may not {right[0]} {right[1].replace('ments', 'ments.mill.dev')}"
        *_, last = answer.text.removesuffix("\r\n\r\n").split("\r\n\r\n")
        assert last.startswith(f"event: error\r\ndata: {words}" if kind == "logs" else f": {words}")
        assert "event: done" not in answer.text
        assert (_taken(served), served.api.open_logs) == (0, 0)
        assert (await served.http.request(method, path)).status_code == 403


@pytest.mark.usefixtures("hurried")
async def test_a_stream_ends_with_its_kubernetes_token(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), settings=KUBERNETES) as served:
        grant(served, ("get", "milldeployments"))
        task = await _open(served, "GET", EVENTS)
        await asyncio.sleep(0.1)
        assert not task.done()
        grant(served, ("get", "milldeployments"))
        served.api.accounts.tokens.clear()
        answer = await asyncio.wait_for(task, 5)
        assert ": missing or wrong token" in answer.text


@pytest.mark.usefixtures("hurried")
async def test_a_stream_ends_with_its_admin_token(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_gateway.access.tokens.CHECK_SECONDS", 0.0)
    file = tmp_path / "tokens"
    file.write_text("first-token\n")
    async with serve(mill_deployment(WEB), settings=Settings(admin_tokens_file=str(file))) as served:
        served.http.headers["Mill-Token"] = "first-token"
        task = await _open(served, "GET", EVENTS)
        await asyncio.sleep(0.1)
        assert not task.done()
        file.write_text("another-token\n")
        assert ": missing or wrong token" in (await asyncio.wait_for(task, 5)).text


@pytest.mark.usefixtures("hurried")
async def test_a_stream_continues_while_the_api_server_does_not_answer(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), settings=KUBERNETES) as served:
        grant(served, ("get", "milldeployments"))
        task = await _open(served, "GET", EVENTS)
        grant(served)
        away = served.api.add_fault("create", SUBJECT_ACCESS_REVIEWS, error=Unreachable("refused"))
        await _until(lambda: away.matched >= 3)
        assert not task.done()
        await _ends(served, task)


@pytest.mark.usefixtures("hurried")
async def test_access_of_a_caller_who_joins_a_drain_is_checked_again(serve: Serve) -> None:
    rights = (("patch", "nodes"), ("create", "pods/eviction"))
    async with serve(node(), pod("web"), settings=KUBERNETES) as served:
        served.api.add_fault("evict", hold=asyncio.Event())
        grant(served, *rights)
        task = await _open(served, "POST", "/v1/nodes/node-1/drain")
        await asyncio.sleep(0.1)
        assert not task.done()
        grant(served, rights[0])
        answer = await asyncio.wait_for(task, 5)
        assert ": system:serviceaccount:shop:bot may not create pods/eviction" in answer.text
        assert "event: done" not in answer.text
        await served.gateway.drains.stop()
