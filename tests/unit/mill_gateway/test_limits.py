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

from .access.cluster import KUBERNETES, done, grant
from .conftest import Recorded, Serve
from .objects import mill_deployment, node, pod

WEB = {"name": "web", "image": "web:1"}
EVENTS = "/v1/deployments/mill/events"
KINDS = {
    "rollout": ("GET", EVENTS, ("get", "milldeployments")),
    "logs": ("GET", "/v1/logs/web", ("get", "pods/log")),
}


async def _hanging(previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
    if follow:
        await asyncio.Event().wait()
    yield b""


async def _open(recorded: Recorded, method: str, path: str) -> asyncio.Task[Any]:
    """Open a stream that continues."""
    before = _taken(recorded)
    task = asyncio.create_task(recorded.http.request(method, path))
    await _until(lambda: _taken(recorded) > before or task.done())
    assert not task.done(), task.result().text
    return task


async def _until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not so():  # noqa: ASYNC110 - what is waited for is many steps away
            await asyncio.sleep(0.005)


def _taken(recorded: Recorded) -> int:
    return sum(len(each) for each in {*recorded.gateway.streams.limits.values()})


async def _ends(recorded: Recorded, *tasks: asyncio.Task[Any]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert _taken(recorded) == 0


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
    served: Serve, path: str, settings: Settings, named: str
) -> None:
    async with served(mill_deployment(WEB), pod("web"), settings=settings) as recorded:
        recorded.kube.written["web-0"] = _hanging
        first, second = await _open(recorded, "GET", path), await _open(recorded, "GET", path)
        refused = await recorded.http.get(path)
        assert (refused.status_code, named in refused.json()["error"]) == (429, True), refused.text
        assert (await recorded.http.head(path)).status_code == 429
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        third = await _open(recorded, "GET", path)
        assert (await recorded.http.get("/v1/deployments")).status_code == 200, "only streams are bounded"
        await _ends(recorded, second, third)


async def test_logs_and_rollouts_have_separate_slots(served: Serve) -> None:
    settings = Settings(max_streams=1, max_log_streams=1)
    async with served(mill_deployment(WEB), pod("web"), settings=settings) as recorded:
        recorded.kube.written["web-0"] = _hanging
        tasks = [await _open(recorded, "GET", path) for path in (EVENTS, "/v1/logs/web")]
        await _ends(recorded, *tasks)


@pytest.mark.parametrize("path", ["/v1/deploy", "/v1/restart/web"])
async def test_a_deploy_without_a_stream_slot_is_not_written(served: Serve, path: str) -> None:
    async with served(mill_deployment(WEB), settings=Settings(max_streams=1)) as recorded:
        task = await _open(recorded, "GET", EVENTS)
        refused = await recorded.http.post(path, content='service "web" {\n  image = "web:2"\n}\n')
        assert (refused.status_code, done(recorded)) == (429, [])
        await _ends(recorded, task)


@pytest.mark.parametrize("path", ["/v1/deploy", "/v1/restart/web", "/v1/deployments/mill/events", "/v1/logs/web"])
async def test_a_stream_that_is_not_opened_keeps_no_slot(served: Serve, path: str) -> None:
    async with served(mill_deployment(WEB), settings=Settings(max_streams=1)) as recorded:
        for _ in range(3):
            if path.startswith("/v1/deployments") or "logs" in path:
                assert (await recorded.http.head(path)).status_code == 200
            else:
                assert (await recorded.http.post(path, content="")).status_code == 404
        assert _taken(recorded) == 0


async def test_a_service_counts_once_for_each_of_its_replicas(served: Serve) -> None:
    pods = [pod("web", str(number)) for number in range(3)]
    async with served(mill_deployment(WEB), *pods, settings=Settings(max_log_streams=3)) as recorded:
        recorded.kube.written |= {f"web-{number}": _hanging for number in range(4)}
        task = await _open(recorded, "GET", "/v1/logs/web")
        await _until(lambda: recorded.kube.reading == 3)
        refused = await recorded.http.get("/v1/logs/web-0?follow=false")
        assert (refused.status_code, "3 are open in all" in refused.json()["error"]) == (429, True)
        await _ends(recorded, task)
        recorded.have(pod("web", "3"))
        refused = await recorded.http.get("/v1/logs/web")
        assert (refused.status_code, "4 are asked for" in refused.json()["error"]) == (429, True)


async def test_a_later_replica_waits_for_a_slot_and_loses_no_line(
    served: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(mill_deployment(WEB), pod("web", "0"), settings=Settings(max_log_streams=1)) as recorded:
        over = asyncio.Event()

        async def line(previous: bool, follow: bool, tail: int | None, since: str | None) -> AsyncIterator[bytes]:
            if follow:
                yield b"2026-02-14T10:00:01Z hello\n"
                await over.wait()

        recorded.kube.written |= {"web-0": line, "web-1": line}
        slots = recorded.gateway.streams.acquire("logs", ANONYMOUS)
        wanted = LogQuery(tail=10, follow=True, previous=True)
        events = LogStream(
            recorded.gateway.log_source, recorded.gateway.logs.select("default", "web"), wanted, Progress(), slots
        )
        told: list[bytes] = []

        async def read() -> None:
            async for each in events.events():
                told.append(each)  # noqa: PERF401 - the list must grow while the stream is open

        task = asyncio.create_task(read())
        await _until(lambda: len(told) == 1)
        recorded.have(pod("web", "1", uid="another-uid"))
        await _until(lambda: "postponed: " in caplog.text)
        assert [b"web-0" in each for each in told] == [True]
        assert caplog.text.count("postponed: ") == 1
        assert "MILL_MAX_LOG_STREAMS allows 1" in caplog.text
        recorded.lose("Pod", "default", "web-0")
        over.set()
        await _until(lambda: len(told) == 2)
        assert b"web-1" in told[-1]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        slots.release()
        assert _taken(recorded) == 0


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
async def test_a_stream_ends_when_its_caller_loses_the_right(served: Serve, kind: str) -> None:
    method, path, right = KINDS[kind]
    async with served(mill_deployment(WEB), pod("web"), settings=KUBERNETES) as recorded:
        recorded.kube.written["web-0"] = _hanging
        grant(recorded, right)
        task = await _open(recorded, method, path)
        await asyncio.sleep(0.15)
        assert not task.done()
        grant(recorded)
        answer = await asyncio.wait_for(task, 5)
        words = f"system:serviceaccount:shop:bot may not {right[0]} {right[1].replace('ments', 'ments.mill.dev')}"
        *_, last = answer.text.removesuffix("\r\n\r\n").split("\r\n\r\n")
        assert last.startswith(f"event: error\r\ndata: {words}" if kind == "logs" else f": {words}")
        assert "event: done" not in answer.text
        assert (_taken(recorded), recorded.kube.reading) == (0, 0)
        assert (await recorded.http.request(method, path)).status_code == 403


@pytest.mark.usefixtures("hurried")
async def test_a_stream_ends_with_its_kubernetes_token(served: Serve) -> None:
    async with served(mill_deployment(WEB), settings=KUBERNETES) as recorded:
        grant(recorded, ("get", "milldeployments"))
        task = await _open(recorded, "GET", EVENTS)
        await asyncio.sleep(0.1)
        assert not task.done()
        grant(recorded, ("get", "milldeployments"))
        recorded.kube.answers["create", "tokenreviews"] = {"status": {"authenticated": False}}
        answer = await asyncio.wait_for(task, 5)
        assert ": missing or wrong token" in answer.text


@pytest.mark.usefixtures("hurried")
async def test_a_stream_ends_with_its_admin_token(
    served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_gateway.access.tokens.CHECK_SECONDS", 0.0)
    file = tmp_path / "tokens"
    file.write_text("first-token\n")
    async with served(mill_deployment(WEB), settings=Settings(admin_tokens_file=str(file))) as recorded:
        recorded.http.headers["Mill-Token"] = "first-token"
        task = await _open(recorded, "GET", EVENTS)
        await asyncio.sleep(0.1)
        assert not task.done()
        file.write_text("another-token\n")
        assert ": missing or wrong token" in (await asyncio.wait_for(task, 5)).text


@pytest.mark.usefixtures("hurried")
async def test_a_stream_continues_while_the_api_server_does_not_answer(served: Serve) -> None:
    async with served(mill_deployment(WEB), settings=KUBERNETES) as recorded:
        grant(recorded, ("get", "milldeployments"))
        task = await _open(recorded, "GET", EVENTS)
        grant(recorded)
        asked = 0

        def away(_: object) -> Exception:
            nonlocal asked
            asked += 1
            return Unreachable("refused")

        recorded.kube.answers["create", "subjectaccessreviews"] = away
        await _until(lambda: asked >= 3)
        assert not task.done()
        await _ends(recorded, task)


@pytest.mark.usefixtures("hurried")
async def test_access_of_a_caller_who_joins_a_drain_is_checked_again(served: Serve) -> None:
    rights = (("patch", "nodes"), ("create", "pods/eviction"))
    async with served(node(), pod("web"), settings=KUBERNETES) as recorded:

        async def never(_: object) -> dict[str, Any]:
            await asyncio.Event().wait()
            return {}

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): never}
        grant(recorded, *rights)
        task = await _open(recorded, "POST", "/v1/nodes/node-1/drain")
        await asyncio.sleep(0.1)
        assert not task.done()
        grant(recorded, rights[0])
        answer = await asyncio.wait_for(task, 5)
        assert ": system:serviceaccount:shop:bot may not create pods/eviction" in answer.text
        assert "event: done" not in answer.text
        await recorded.gateway.drains.stop()
