"""Lookups: in parallel, once while a result is fresh, bounded in number and time."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from mill_kube.errors import ApiError, NotFound, Unreachable
from mill_kube.resources import EVENTS, NODES
from mill_objects.json import Json
from mill_operator import lookups
from mill_operator.core.observed.lookup_results import NO_RESULTS
from mill_operator.core.verdicts.lookup_requests import LookupRequest
from mill_operator.lookups import Lookups
from tests.support.apiserver import ApiServer, InMemoryClient

NODE = LookupRequest("node", "node-1")
ALL_NODES = LookupRequest("nodes", "", fresh=60.0)
POD = LookupRequest("events", "pod-uid", "shop")


def _node(ready: str) -> Json:
    info = {"operatingSystem": "linux", "architecture": "amd64"}
    status = {"nodeInfo": info, "conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {"name": "node-1"}, "status": status}


def asked(server: ApiServer) -> Counter[str]:
    """Return how often each node, and the events of each object, were requested."""
    return Counter(f"{each} {each.query.get('fieldSelector') or ''}".strip() for each in server.requests)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def server() -> ApiServer:
    server = ApiServer()
    server.put(NODES, _node("True"))
    meta = {"name": "event-1", "namespace": "shop", "creationTimestamp": "2026-01-31T12:00:00Z"}
    about = {"uid": "pod-uid"}
    server.put(EVENTS, {"metadata": meta, "involvedObject": about, "reason": "Failed", "message": "why"})
    return server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looking(server: ApiServer, clock: Clock) -> Lookups:
    return Lookups(InMemoryClient(server), clock)


async def test_a_node_and_the_events_of_one_object_are_looked_up(looking: Lookups, server: ApiServer) -> None:
    answers = await looking.results([NODE, POD])
    assert answers.nodes["node-1"].platform == "linux/amd64"
    assert answers.events["pod-uid"][0].message == "why"
    assert set(asked(server)) == {
        "get /api/v1/nodes/node-1",
        "list /api/v1/namespaces/shop/events involvedObject.uid=pod-uid",
    }


async def test_of_all_nodes_the_largest_amounts_are_kept(
    looking: Lookups, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "NODES_LISTED", 2)
    for at, memory in enumerate(("1Gi", "24548880Ki", "2Gi", "3Gi")):
        server.put(
            NODES, {"metadata": {"name": f"large-{at}"}, "status": {"allocatable": {"memory": memory, "cpu": "1"}}}
        )
    cordoned = {"spec": {"unschedulable": True}, "status": {"allocatable": {"memory": "1Ti", "cpu": "500m"}}}
    server.put(NODES, {"metadata": {"name": "cordoned"}, **cordoned})
    answers = await looking.results([ALL_NODES, NODE])
    assert answers.largest_node == {"memory": 24548880 * 1024, "cpu": 1.0}
    assert "node-1" in answers.nodes
    assert [each.query["limit"] for each in server.requests if each.verb == "list"] == ["2", "2", "2"]


async def test_nodes_are_listed_once_a_minute_at_most_whatever_is_answered(
    looking: Lookups, server: ApiServer, clock: Clock
) -> None:
    server.add_fault("*", error=ApiError(403, "Forbidden", "no"))
    for clock.time in (0.0, 5.0, 59.0):
        assert (await looking.results([ALL_NODES])).largest_node == {}
    assert len(server.requests) == 1
    server.faults.clear()
    for clock.time in (60.0, 119.0):
        await looking.results([ALL_NODES])
    assert len(server.requests) == 2


async def test_of_more_nodes_than_are_read_the_largest_is_not_known(
    looking: Lookups, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "NODES_LISTED", 1)
    monkeypatch.setattr(lookups, "NODE_PAGES", 2)
    for at in range(3):
        server.put(NODES, {"metadata": {"name": f"large-{at}"}, "status": {"allocatable": {"cpu": "1"}}})
    assert (await looking.results([ALL_NODES])).largest_node == {}
    assert len(server.requests) == 2


async def test_a_lookup_is_not_repeated_while_its_result_is_fresh(
    looking: Lookups, server: ApiServer, clock: Clock
) -> None:
    await looking.results([NODE])
    clock.time = 4.9
    await looking.results([NODE, POD])
    assert asked(server)["get /api/v1/nodes/node-1"] == 1
    clock.time = 5.0
    await looking.results([NODE])
    assert asked(server)["get /api/v1/nodes/node-1"] == 2
    clock.time = 60.0
    await looking.results([LookupRequest("node", "node-1", fresh=300.0)])
    assert asked(server)["get /api/v1/nodes/node-1"] == 2


async def test_a_node_that_was_not_ready_is_looked_up_again_soon_whoever_asks(
    looking: Lookups, server: ApiServer, clock: Clock
) -> None:
    """A pull that fails asks for the node's platform, which does not change; a lost node may be back."""
    platform = LookupRequest("node", "node-1", fresh=300.0)
    server.put(NODES, _node("Unknown"))
    assert (await looking.results([platform])).nodes["node-1"].ready == "Unknown"
    clock.time = 4.9
    assert (await looking.results([platform])).nodes["node-1"].ready == "Unknown"
    server.put(NODES, _node("True"))
    clock.time = 5.0
    assert (await looking.results([platform])).nodes["node-1"].ready == "True"
    clock.time = 299.0
    await looking.results([platform])
    assert asked(server)["get /api/v1/nodes/node-1"] == 2


async def test_an_old_result_of_a_node_that_was_not_ready_is_none_while_the_api_server_is_slow(
    looking: Lookups, server: ApiServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "WAIT_SECONDS", 0.01)
    server.put(NODES, _node("Unknown"))
    assert "node-1" in (await looking.results([NODE])).nodes
    gate = asyncio.Event()
    server.add_fault("*", hold=gate)
    clock.time = 17.0
    assert (await looking.results([NODE])).nodes == {}
    gate.set()
    await asyncio.sleep(0.01)
    assert (await looking.results([NODE])).nodes["node-1"].ready == "Unknown"


async def test_a_changed_object_is_another_lookup(looking: Lookups, server: ApiServer) -> None:
    await looking.results([LookupRequest("events", "pod-uid", "shop", says="a", fresh=300.0)])
    await looking.results([LookupRequest("events", "pod-uid", "shop", says="a", fresh=300.0)])
    await looking.results([LookupRequest("events", "pod-uid", "shop", says="b", fresh=300.0)])
    assert len(server.requests) == 2


async def test_equal_lookups_at_the_same_time_share_one_request(looking: Lookups, server: ApiServer) -> None:
    gate = asyncio.Event()
    server.add_fault("*", hold=gate)
    first, second = asyncio.create_task(looking.results([NODE])), asyncio.create_task(looking.results([NODE]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gate.set()
    assert (await first).nodes == (await second).nodes != {}
    assert len(server.requests) == 1


async def test_a_slow_api_server_is_not_waited_for(
    looking: Lookups, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "WAIT_SECONDS", 0.01)
    gate = asyncio.Event()
    server.add_fault("*", hold=gate)
    assert (await looking.results([NODE])).nodes == {}
    gate.set()
    await asyncio.sleep(0.01)
    assert "node-1" in (await looking.results([NODE])).nodes
    assert len(server.requests) == 1, "the answer that came late is there for the next pass"


@pytest.mark.parametrize(
    "error", [ApiError(403, "Forbidden", "no"), NotFound(404, "NotFound", "no"), Unreachable("gone")]
)
async def test_a_missing_answer_is_no_error_and_not_requested_again_at_once(
    looking: Lookups, server: ApiServer, clock: Clock, error: Exception
) -> None:
    server.add_fault("*", error=error)
    patient = LookupRequest("events", "pod-uid", "shop", fresh=300.0)
    assert (await looking.results([patient])).events == {}
    clock.time = 4.9
    await looking.results([patient])
    assert len(server.requests) == 1
    clock.time = 5.0
    server.faults.clear()
    assert (await looking.results([patient])).events != {}


async def test_an_older_result_serves_while_there_is_no_newer_one(
    looking: Lookups, server: ApiServer, clock: Clock
) -> None:
    await looking.results([POD])
    clock.time = 10.0
    server.add_fault("*", error=Unreachable("gone"))
    assert "pod-uid" in (await looking.results([POD])).events
    assert len(server.requests) == 2


async def test_a_missing_right_is_logged_once(
    looking: Lookups, server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.add_fault("*", error=ApiError(403, "Forbidden", "events is forbidden"))
    await looking.results([POD, LookupRequest("events", "other-uid", "shop")])
    assert caplog.messages == [
        "cannot read events or nodes; failure reasons will be less specific: events is forbidden"
    ]


async def test_requests_and_results_are_bounded(looking: Lookups, server: ApiServer) -> None:
    gate = asyncio.Event()
    server.add_fault("*", hold=gate)
    many = [LookupRequest("events", str(n), "shop") for n in range(lookups.RESULTS_KEPT + 50)]
    asking = asyncio.create_task(looking.results(many))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(server.requests) == lookups.PARALLEL
    gate.set()
    assert len((await asking).events) == len(many)
    assert len(looking._known) == lookups.RESULTS_KEPT


async def test_an_unexpected_error_costs_one_result(server: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    found = Lookups(InMemoryClient(server))
    server.add_fault("*", error=TypeError("a fault of ours"))
    assert await found.results([NODE]) == NO_RESULTS
    assert "cannot look up node node-1: unexpected error" in caplog.text
    server.faults.clear()
    assert (await found.results([POD])).events["pod-uid"][0].reason == "Failed"


@pytest.mark.parametrize("listed", [{}, {"items": None}, {"items": [None, 5]}])
async def test_a_list_of_events_in_which_there_are_none(server: ApiServer, listed: dict[str, Any]) -> None:
    server.add_fault("list", EVENTS, answer=listed)
    assert (await Lookups(InMemoryClient(server)).results([POD])).events == {"pod-uid": ()}
