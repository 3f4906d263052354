"""Looking up: in parallel, at most once while an answer is fresh, bounded, never in anybody's way."""

import asyncio
from collections import Counter
from typing import Any, cast

import pytest

from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import ApiError, NotFound, Unreachable
from mill_kube.resources import EVENTS, Resource
from mill_operator import lookups
from mill_operator.core.observed.lookup_results import NO_RESULTS
from mill_operator.core.verdicts.lookup_requests import LookupRequest
from mill_operator.lookups import Lookups

NODE = LookupRequest("node", "node-1")
POD = LookupRequest("events", "pod-uid", "shop")


class Server:
    """LookupResults as an API server would; `asked` counts by what was asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = 0

    async def request(self, request: Request) -> dict[str, Any]:
        await self._answer(str(request))
        info = {"operatingSystem": "linux", "architecture": "amd64"}
        return {"status": {"nodeInfo": info, "conditions": [{"type": "Ready", "status": "True"}]}}

    async def list(self, resource: Resource, namespace: str, *, fields: str, limit: int) -> dict[str, Any]:
        assert resource == EVENTS
        await self._answer(f"{namespace} {fields}")
        meta = {"creationTimestamp": "2026-01-31T12:00:00Z"}
        return {"items": [{"metadata": meta, "reason": "Failed", "message": "why"}]}

    async def _answer(self, what: str) -> None:
        self.asked[what] += 1
        self.at_once += 1
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        if self.error is not None:
            raise self.error


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looking(server: Server, clock: Clock) -> Lookups:
    return Lookups(cast("KubeClient", server), clock)


async def test_a_node_and_the_events_of_one_object_are_asked_for(looking: Lookups, server: Server) -> None:
    answers = await looking.results([NODE, POD])
    assert answers.nodes["node-1"].platform == "linux/amd64"
    assert answers.events["pod-uid"][0].message == "why"
    assert set(server.asked) == {"get /api/v1/nodes/node-1", "shop involvedObject.uid=pod-uid"}


async def test_a_question_is_not_asked_again_while_its_answer_is_fresh(
    looking: Lookups, server: Server, clock: Clock
) -> None:
    await looking.results([NODE])
    clock.time = 4.9
    await looking.results([NODE, POD])
    assert server.asked["get /api/v1/nodes/node-1"] == 1
    clock.time = 5.0
    await looking.results([NODE])
    assert server.asked["get /api/v1/nodes/node-1"] == 2
    clock.time = 60.0
    await looking.results([LookupRequest("node", "node-1", fresh=300.0)])
    assert server.asked["get /api/v1/nodes/node-1"] == 2


async def test_what_an_object_says_now_is_another_question(looking: Lookups, server: Server) -> None:
    await looking.results([LookupRequest("events", "pod-uid", "shop", says="a", fresh=300.0)])
    await looking.results([LookupRequest("events", "pod-uid", "shop", says="a", fresh=300.0)])
    await looking.results([LookupRequest("events", "pod-uid", "shop", says="b", fresh=300.0)])
    assert server.asked.total() == 2


async def test_passes_that_ask_the_same_at_the_same_time_share_one_request(looking: Lookups, server: Server) -> None:
    server.gate.clear()
    first, second = asyncio.create_task(looking.results([NODE])), asyncio.create_task(looking.results([NODE]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    server.gate.set()
    assert (await first).nodes == (await second).nodes != {}
    assert server.asked.total() == 1


async def test_a_slow_api_server_is_not_waited_for(
    looking: Lookups, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "WAIT_SECONDS", 0.01)
    server.gate.clear()
    assert (await looking.results([NODE])).nodes == {}
    server.gate.set()
    await asyncio.sleep(0.01)
    assert "node-1" in (await looking.results([NODE])).nodes
    assert server.asked.total() == 1, "the answer that came late is there for the next pass"


@pytest.mark.parametrize(
    "error", [ApiError(403, "Forbidden", "no"), NotFound(404, "NotFound", "no"), Unreachable("gone")]
)
async def test_no_answer_is_no_error_and_is_not_asked_for_again_at_once(
    looking: Lookups, server: Server, clock: Clock, error: Exception
) -> None:
    server.error = error
    patient = LookupRequest("events", "pod-uid", "shop", fresh=300.0)
    assert (await looking.results([patient])).events == {}
    clock.time = 4.9
    await looking.results([patient])
    assert server.asked.total() == 1
    clock.time = 5.0
    server.error = None
    assert (await looking.results([patient])).events != {}


async def test_what_was_known_before_is_better_than_nothing(looking: Lookups, server: Server, clock: Clock) -> None:
    await looking.results([POD])
    clock.time, server.error = 10.0, Unreachable("gone")
    assert "pod-uid" in (await looking.results([POD])).events
    assert server.asked.total() == 2


async def test_a_missing_right_is_said_once(looking: Lookups, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.error = ApiError(403, "Forbidden", "events is forbidden")
    await looking.results([POD, LookupRequest("events", "other-uid", "shop")])
    assert caplog.messages == [
        "cannot read events or nodes; failure reasons will be less specific: events is forbidden"
    ]


async def test_only_so_many_are_under_way_and_remembered(looking: Lookups, server: Server) -> None:
    server.gate.clear()
    many = [LookupRequest("events", str(n), "shop") for n in range(lookups.RESULTS_KEPT + 50)]
    asking = asyncio.create_task(looking.results(many))
    for _ in range(5):
        await asyncio.sleep(0)
    assert server.at_once == lookups.PARALLEL
    server.gate.set()
    assert len((await asking).events) == len(many)
    assert len(looking._known) == lookups.RESULTS_KEPT


async def test_an_unexpected_error_costs_one_answer(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    found = Lookups(cast("KubeClient", server))
    server.error = TypeError("a fault of ours")
    assert await found.results([NODE]) == NO_RESULTS
    assert "cannot look up node node-1: unexpected error" in caplog.text
    server.error = None
    assert (await found.results([POD])).events["pod-uid"][0].reason == "Failed"


@pytest.mark.parametrize("listed", [{}, {"items": None}, {"items": [None, 5]}])
async def test_a_list_of_events_in_which_there_are_none(server: Server, listed: dict[str, Any]) -> None:
    async def answer(*_: Any, **__: Any) -> dict[str, Any]:
        return listed

    server.list = answer  # type: ignore[method-assign]
    assert (await Lookups(cast("KubeClient", server)).results([POD])).events == {"pod-uid": ()}
