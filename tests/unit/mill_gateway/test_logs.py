"""Streams of logs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, tzinfo
from typing import Any

import pytest

from mill_gateway.access.access import ANONYMOUS
from mill_gateway.core.log_lines import Progress
from mill_gateway.streams.logs import LogQuery, LogStream
from mill_kube.errors import ApiError
from mill_kube.logs import LogOptions
from tests.support.apiserver import ContainerLog
from tests.support.apiserver.logs import Log
from tests.support.gateway.objects import job, mill_deployment
from tests.support.gateway.pod_logs import WEB, ended_log, named_pod, set_logs, shown_lines, timed_lines
from tests.support.gateway.served import Serve


async def test_the_last_lines_of_all_replicas_by_time(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod("web-0"), named_pod("web-1")) as served:
        set_logs(served, web_0=ended_log((1, "a"), (3, "c"), (5, "e")), web_1=ended_log((2, "b"), (4, "d")))
        answer = await served.http.get("/v1/logs/web?follow=false")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert shown_lines(answer.text) == ["web-0: a", "web-1: b", "web-0: c", "web-1: d", "web-0: e"]
        two = await served.http.get("/v1/logs/web?follow=false&tail=1")
        assert shown_lines(two.text) == ["web-1: d", "web-0: e"]
        assert shown_lines((await served.http.get("/v1/logs/web-1?follow=false")).text) == ["web-1: b", "web-1: d"]
        assert served.api.open_logs == 0


async def test_lines_before_a_restart_fill_up_the_tail(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod(restarts=1)) as served:
        set_logs(served, web_0=ended_log((5, "again"), previous=timed_lines((1, "a"), (2, "panic"))))

        async def told(query: str) -> list[str]:
            return shown_lines((await served.http.get(f"/v1/logs/web?follow=false&{query}")).text)

        assert await told("tail=5") == ["web-0: a", "web-0: panic", "web-0: again"]
        assert await told("tail=2") == ["web-0: panic", "web-0: again"]
        assert await told("tail=1") == ["web-0: again"]
        assert await told("previous=false") == ["web-0: again"]


async def test_only_lines_from_before_a_restart(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod("web-0", restarts=2), named_pod("web-1")) as served:
        first = ended_log((5, "again"), previous=timed_lines((1, "a"), (2, "b"), (3, "panic")))
        set_logs(served, web_0=first, web_1=ended_log((4, "never restarted")))

        async def told(query: str) -> str:
            return (await served.http.get(f"/v1/logs/web?before_restart=true&{query}")).text

        assert shown_lines(await told("")) == ["web-0: a", "web-0: b", "web-0: panic"]
        assert shown_lines(await told("follow=true&tail=2")) == ["web-0: b", "web-0: panic"]
        served.have(named_pod("web-0"))
        assert await told("") == "event: error\r\ndata: no container of 'web' has restarted\r\n\r\n"
        assert served.api.open_logs == 0


async def test_only_lines_since_a_moment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 2, 14, 10, 0, 10, 500_000, tz)

    monkeypatch.setattr("mill_gateway.routes.logs.datetime", Clock)
    many = [(second, f"{second}") for second in range(1, 10) for _ in range(100)]
    async with serve(mill_deployment(WEB), named_pod(restarts=1)) as served:
        set_logs(served, web_0=ended_log(*many, previous=timed_lines((0, "before"))))

        async def told(query: str) -> list[str]:
            return shown_lines((await served.http.get(f"/v1/logs/web?follow=false&{query}")).text)

        assert await told("since=7") == [f"web-0: {text}" for second, text in many if second >= 3], "all of them"
        assert await told("since=7&tail=1") == ["web-0: 9"]
        assert len(await told("since=60")) == 901
        assert len(await told("")) == 200


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
        objects.append(named_pod("t-0", kind="task", run="t-1", ready=False, phase="Failed", state=waiting))
    async with serve(*objects) as served:
        refused: Log = _no_log
        set_logs(served, t_0=refused)
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
    silent = named_pod("t-0", kind="task", run="t-1", ready=False, phase="Succeeded", state=over)
    async with serve(mill_deployment(), job("t-1", "t"), silent) as served:
        set_logs(served, t_0=ended_log())
        assert (await served.http.get("/v1/logs/t-1?follow=false")).text == ""


async def _no_log(_options: LogOptions) -> AsyncIterator[bytes]:
    raise ApiError(400, "BadRequest", "container is waiting to start: image can't be pulled")
    yield b""


async def test_a_resumed_client_gets_the_rest(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod("web-0"), named_pod("web-1")) as served:
        set_logs(served, web_0=ended_log((1, "a"), (3, "c1"), (3, "c2")), web_1=ended_log((2, "b"), (3, "d")))
        whole = (await served.http.get("/v1/logs/web?follow=false")).text
        ids = [line.removeprefix("id: ") for line in whole.splitlines() if line.startswith("id: ")]
        for number, event_id in enumerate(ids, start=1):
            rest = await served.http.get("/v1/logs/web?follow=false", headers={"Last-Event-ID": event_id})
            assert sorted(shown_lines(rest.text)) == sorted(shown_lines(whole)[number:]), event_id


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


async def test_a_container_that_waits_for_its_restart_is_read_once(serve: Serve) -> None:
    """Kubernetes gives the log of the one that has ended for the current one, and for the previous one as well."""
    crash_loop = {"waiting": {"reason": "CrashLoopBackOff"}}
    async with serve(mill_deployment(WEB), named_pod(restarts=2, ready=False, state=crash_loop)) as served:
        lines = timed_lines((1, "a"), (2, "panic"))
        set_logs(served, web_0=ContainerLog(lines, lines, has_ended=True))
        told = (await served.http.get("/v1/logs/web?follow=false")).text
        assert shown_lines(told) == ["web-0: a", "web-0: panic"]


async def test_a_restart_that_is_not_observed_yet_repeats_no_line(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod(restarts=2)) as served:
        lines = timed_lines((1, "a"), (2, "panic"), (2, "panic"))
        set_logs(served, web_0=ContainerLog(lines, lines, has_ended=True))
        told = (await served.http.get("/v1/logs/web?follow=false")).text
        assert shown_lines(told) == ["web-0: a", "web-0: panic", "web-0: panic"]


async def test_a_resumed_client_gets_all_lines_of_a_new_replica(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod("web-0")) as served:
        set_logs(served, web_0=ended_log((1, "a")))
        first = (await served.http.get("/v1/logs/web?follow=false&tail=1")).text
        (last,) = (line.removeprefix("id: ") for line in first.splitlines() if line.startswith("id: "))
        served.have(named_pod("web-1"))
        set_logs(served, web_1=ended_log((2, "b"), (3, "c"), (4, "d")))
        rest = await served.http.get("/v1/logs/web?follow=false&tail=1", headers={"Last-Event-ID": last})
        assert shown_lines(rest.text) == ["web-1: b", "web-1: c", "web-1: d"]


async def test_a_name_cannot_write_events(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        answer = await served.http.get("/v1/logs/a%0D%0A%0D%0Adata:%20b")
        assert "\ndata: b" not in answer.text


async def test_many_lines_do_not_block_other_requests(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), named_pod()) as served:
        text = b"".join(timed_lines((1, "a")) * 10_000)

        async def at_once(options: LogOptions) -> AsyncIterator[bytes]:
            yield text

        set_logs(served, web_0=at_once)
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
    async with serve(mill_deployment(WEB), named_pod()) as served:
        set_logs(served, web_0=ended_log((1, "confidential")))
        assert "confidential" in (await served.http.get("/v1/logs/web?follow=false")).text
    assert "confidential" not in caplog.text
