"""The in-memory API server keeps the contract that a real one keeps too, and follows a test's script."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mill_kube.errors import Expired, NotFound, Unreachable, WriteFenced
from mill_kube.resources import MILL_DEPLOYMENTS, NODES, SECRETS
from mill_objects.json import Json
from tests.support.apiserver import ApiServer, InMemoryClient
from tests.support.apiserver_contract import CHECKS, Contract


@pytest.fixture
def server() -> ApiServer:
    return ApiServer(namespaces={"shop"})


@pytest.fixture
def contract(server: ApiServer) -> Contract:
    return Contract(InMemoryClient(server), "shop")


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.__name__)
async def test_it_keeps_the_contract(contract: Contract, check: Callable[[Contract], Awaitable[None]]) -> None:
    await check(contract)


async def test_an_error_hits_only_the_requests_that_it_is_scripted_for(server: ApiServer, contract: Contract) -> None:
    server.add_fault("get", SECRETS, first=2, times=1, error=Unreachable("cut off"))
    await contract.create("a")
    await contract.get("a")
    with pytest.raises(Unreachable, match="cut off"):
        await contract.get("a")
    await contract.get("a")
    assert [each.name for each in server.sent("get", SECRETS)] == ["a", "a", "a"]


async def test_a_write_whose_answer_is_lost_has_taken_effect(server: ApiServer, contract: Contract) -> None:
    server.add_fault("create", error=Unreachable("cut off"), takes_effect=True)
    with pytest.raises(Unreachable):
        await contract.create("a", key="MQ==")
    assert (await contract.get("a"))["data"] == {"key": "MQ=="}


async def test_answers_are_recorded_unless_a_fault_refuses_the_request(server: ApiServer, contract: Contract) -> None:
    server.add_fault("create", times=1, error=Unreachable("cut off"))
    with pytest.raises(Unreachable):
        await contract.create("a")
    made = await contract.create("a")
    assert [(request.verb, request.resource, answer) for request, answer in server.answers] == [
        ("create", SECRETS, made)
    ]


async def test_an_answer_arrives_in_a_later_turn_of_the_loop(server: ApiServer, contract: Contract) -> None:
    creating = asyncio.create_task(contract.create("a"))
    await asyncio.sleep(0)
    assert server.find(SECRETS, "shop", "a") is not None
    assert not creating.done()
    await creating


async def test_a_body_is_copied_as_json(server: ApiServer, contract: Contract) -> None:
    body: Json = {"metadata": {"name": "a"}, "data": {"a": ("MQ==",)}}
    made = await contract.client.create(SECRETS, "shop", body, manager="m")
    body["data"]["a"] = ()
    assert made["data"] == (await contract.get("a"))["data"] == {"a": ["MQ=="]}


async def test_a_held_request_waits_and_a_scripted_answer_replaces_the_server_s(
    server: ApiServer, contract: Contract
) -> None:
    gate = asyncio.Event()
    server.add_fault("get", times=1, answer={"kind": "Status"})
    server.add_fault("get", first=2, hold=gate)
    assert await contract.get("a") == {"kind": "Status"}
    held = asyncio.create_task(contract.get("a"))
    await asyncio.sleep(0.01)
    assert not held.done()
    gate.set()
    with pytest.raises(NotFound):
        await held


async def test_compaction_expires_watches_and_pages(server: ApiServer, contract: Contract) -> None:
    made = await contract.create("a")
    await contract.create("b")
    page = await contract.client.list(SECRETS, None, limit=1)
    server.compact()
    with pytest.raises(Expired):
        await contract.client.list(SECRETS, None, limit=1, after=page["metadata"]["continue"])
    with pytest.raises(Expired):
        await anext(contract.client.watch(SECRETS, None, resource_version=made["metadata"]["resourceVersion"]))


async def test_a_bookmark_comes_after_the_events_before_it_and_watches_end_when_asked(
    server: ApiServer, contract: Contract
) -> None:
    events = contract.client.watch(SECRETS, None, resource_version="100")
    await contract.create("a")
    server.bookmark()
    assert [(await anext(events))["type"] for _ in range(2)] == ["ADDED", "BOOKMARK"]
    server.end_watches()
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_the_generation_grows_with_the_spec_alone(contract: Contract) -> None:
    client, body = contract.client, {"metadata": {"name": "a", "namespace": "shop"}, "spec": {"x": 1}}
    uid = (await client.create(MILL_DEPLOYMENTS, "shop", body, manager="m"))["metadata"]["uid"]
    await client.replace_status(MILL_DEPLOYMENTS, "shop", "a", {"x": 1}, uid=uid, manager="m")
    written = await client.merge_patch(
        MILL_DEPLOYMENTS, "shop", "a", {"spec": {"y": 1}, "status": {"x": 2}}, manager="m"
    )
    assert (written["metadata"]["generation"], written["status"]) == (2, {"x": 1})


async def test_an_object_with_finalizers_is_gone_when_the_last_one_is(contract: Contract) -> None:
    made = await contract.create("a")
    await contract.merge("a", {"metadata": {"finalizers": ["mill.dev/test"]}})
    await contract.client.delete(SECRETS, "shop", "a", uid=made["metadata"]["uid"])
    assert "deletionTimestamp" in (await contract.get("a"))["metadata"]
    await contract.merge("a", {"metadata": {"finalizers": None}})
    with pytest.raises(NotFound):
        await contract.get("a")


async def test_a_fenced_client_writes_nothing(server: ApiServer) -> None:
    fenced = Contract(InMemoryClient(server, may_write=lambda: False), "shop")
    with pytest.raises(WriteFenced):
        await fenced.create("a")
    assert server.requests == []


async def test_an_object_without_a_namespace_is_found_by_its_name(server: ApiServer, contract: Contract) -> None:
    server.put(NODES, {"metadata": {"name": "node-1"}, "spec": {}})
    merged = await contract.client.merge_patch(NODES, None, "node-1", {"spec": {"unschedulable": True}}, manager="m")
    assert merged["spec"] == {"unschedulable": True}
    assert "namespace" not in merged["metadata"]


async def test_a_request_without_a_model_raises(contract: Contract) -> None:
    await contract.create("a")
    with pytest.raises(NotImplementedError):
        await contract.client.list(SECRETS, None, labels="app in (a, b)")
