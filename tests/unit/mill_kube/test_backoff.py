"""Lists and watches that end at once are not repeated without a pause, and each that works counts."""

import asyncio
from typing import Any, cast

import pytest

from mill_kube import backoff as module
from mill_kube.backoff import LONGEST, LONGEST_IN_ORDER, Backoff
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Expired
from mill_kube.reflector import Reflector
from mill_kube.resources import PODS
from mill_objects.key import Key
from tests.support.watches import Pod, ScriptedServer, until


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that were made, which take no time."""
    made: list[float] = []

    async def pause(self: Backoff) -> None:
        made.append(self.seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(module.Backoff, "pause", pause)
    return made


async def play(lists: int, watches: list[list[Any]]) -> ScriptedServer:
    """Play watches of a server with one pod, until all have ended."""
    server = ScriptedServer([[] for _ in range(lists)], watches)

    def project(body: dict[str, Any]) -> Pod:
        meta = body["metadata"]
        return Pod(Key("n", meta["name"]), meta["resourceVersion"], "")

    store = Reflector(cast("KubeClient", server), PODS, project=project, on_change=lambda *_: None)
    task = asyncio.create_task(store.run())
    await until(lambda: not server._watches)
    await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return server


def event(version: int) -> tuple[str, dict[str, Any]]:
    return "MODIFIED", {"metadata": {"name": "a", "namespace": "n", "resourceVersion": str(version)}}


async def test_watches_that_end_at_once_are_opened_less_and_less_often(pauses: list[float]) -> None:
    server = await play(1, [[] for _ in range(10)])
    assert pauses == [0.0, 0.4, 0.8, *[LONGEST_IN_ORDER] * 7]
    assert len(server.watched_from) == 11
    assert server._lists == [], "one list is enough"


async def test_a_watch_that_brings_something_counts_as_one_that_works(pauses: list[float]) -> None:
    await play(1, [[], [], [event(101)], [event(102)], []])
    assert pauses == [0.0, 0.4, 0.0, 0.0, 0.0]


async def test_a_watch_that_lasts_counts_as_one_that_works(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_kube.reflector.SHORT", 0.0)
    await play(1, [[], [], []])
    assert pauses == [0.0, 0.0, 0.0]


async def test_a_server_that_forgets_at_once_is_not_listed_without_a_pause(pauses: list[float]) -> None:
    await play(8, [[Expired(410, "Expired", "too old")] for _ in range(7)])
    assert pauses == [0.0, 0.4, 0.8, *[LONGEST_IN_ORDER] * 4]


async def test_nor_is_one_that_refuses_the_watch_alone(pauses: list[float]) -> None:
    await play(8, [[ApiError(403, "Forbidden", "no")] for _ in range(7)])
    assert pauses == [0.4, 0.8, 1.6, 3.2, 6.4, 6.4, 6.4]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (Expired(410, "Expired", "too old"), [0.0, 0.4, 0.8, *[LONGEST_IN_ORDER] * 2]),
        (ApiError(503, "ServiceUnavailable", "overloaded"), [0.4, 0.8, 1.6, 3.2, 6.4]),
    ],
    ids=["expired", "overloaded"],
)
async def test_a_refusal_that_takes_its_time_is_still_one(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch, refusal: ApiError, expected: list[float]
) -> None:
    """A slow server refuses each watch after a while: that is no watch that has lasted."""
    monkeypatch.setattr("mill_kube.reflector.SHORT", 0.0)
    await play(6, [[refusal] for _ in range(5)])
    assert pauses == expected


async def test_a_watch_that_worked_before_it_expired_is_listed_at_once(pauses: list[float]) -> None:
    await play(4, [[event(101 + n), Expired(410, "Expired", "too old")] for n in range(3)])
    assert pauses == [0.0, 0.0, 0.0]


def test_it_does_not_grow_without_end() -> None:
    backoff = Backoff()
    for _ in range(5000):
        backoff.failed(worked=False)
    assert backoff.seconds == LONGEST
    backoff.failed(worked=True)
    assert backoff.seconds == 0.4
