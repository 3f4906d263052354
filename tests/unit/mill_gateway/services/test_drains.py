"""Draining and removing nodes: evicted pods, events, and refusals."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from mill_gateway.core.draining import describe_unmanaged, movable, plan_drain
from mill_gateway.objects.nodes import project_node_pod
from mill_gateway.objects.pods import Program
from mill_gateway.services import drains
from mill_gateway.settings import Settings
from mill_kube.connection import Request
from mill_kube.errors import ApiError, Conflict, NotFound, Unreachable
from mill_kube.resources import NODES, PODS
from mill_objects.json import Json
from tests.support.apiserver import action_of
from tests.support.gateway.objects import mill_deployment, node, pod
from tests.support.gateway.served import Serve, Served

DRAIN = Settings(drain=True)
WEB = {"name": "web", "image": "web:1"}


def _foreign(name: str, owner: str | None, **metadata: Any) -> dict[str, Any]:
    made = pod("x", namespace="kube-system", node="node-1")
    meta = made["metadata"]
    meta |= {"name": name, "labels": {}, "ownerReferences": [], **metadata}
    if owner:
        meta["ownerReferences"] = [{"kind": owner, "name": "o", "controller": True}]
    return made


DAEMON = _foreign("daemon", "DaemonSet")
STATIC = _foreign("static", "Node", annotations={"kubernetes.io/config.mirror": "x"})
LOOSE = _foreign("loose", None)
STATEFUL = _foreign("stateful", "StatefulSet")


def test_pods_that_a_drain_evicts_and_pods_that_stay() -> None:
    run = pod("migrate", kind="task", run="migrate-1")
    planned = plan_drain(
        map(project_node_pod, [DAEMON, STATIC, LOOSE, STATEFUL, run, pod("web", "0"), pod("web", "1"), pod("db")])
    )
    assert {program: [each.key.name for each in pods] for program, pods in planned.services.items()} == {
        Program("default", "service", "web"): ["web-0", "web-1"],
        Program("default", "service", "db"): ["db-0"],
    }
    assert [each.key.name for each in planned.others] == ["stateful", "migrate-0"]
    assert [each.key.name for each in planned.kept] == ["loose"]
    assert describe_unmanaged(planned.kept[0]).startswith("pod kube-system/loose has no controller")
    assert [each.key.name for each in movable(map(project_node_pod, [DAEMON, STATIC, LOOSE]))] == ["loose"]
    going = plan_drain([project_node_pod(_foreign("loose", None, deletionTimestamp="2026-02-14T10:00:00Z"))])
    assert ([each.key.name for each in going.others], going.kept) == (["loose"], ())


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/nodes/node-1/drain"), ("DELETE", "/v1/nodes/node-1")])
async def test_a_drain_is_refused_unless_the_setting_allows_it(serve: Serve, method: str, path: str) -> None:
    async with serve(node()) as served:
        answer = await served.http.request(method, path)
        assert (answer.status_code, "MILL_DRAIN=true" in answer.json()["error"]) == (403, True)
    async with serve(settings=DRAIN) as served:
        answer = await served.http.request(method, path)
        assert (answer.status_code, answer.json()["error"]) == (404, "node not found")


async def test_an_empty_node_is_removed(serve: Serve) -> None:
    async with serve(node(), DAEMON, LOOSE, settings=DRAIN) as served:
        refused = await served.http.delete("/v1/nodes/node-1")
        assert (refused.status_code, refused.json()["error"]) == (409, "node has active allocations")
        assert refused.json()["pods"] == ["kube-system/loose"]
        served.lose("Pod", "kube-system", "loose")
        assert (await served.http.delete("/v1/nodes/node-1")).status_code == 204
        (asked,) = served.api.requests
        assert (asked.name, asked.body) == ("node-1", {"preconditions": {"uid": "uid-of--node-1"}})
        assert served.api.find(NODES, "", "node-1") is None


def _events(text: str) -> list[tuple[str, dict[str, Any]]]:
    events = [part.split("\r\n") for part in text.split("\r\n\r\n") if part.startswith("event")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data, _ in events]


def _is_of_web(request: Request) -> bool:
    return request.name == "web-0"


def _on_eviction(served: Served, do: Callable[[str, str], None]) -> None:
    """Call a function with the namespace and the name of each evicted pod, before the eviction is answered."""

    def observe(request: Request, _answer: Json) -> None:
        if action_of(request) == "evict":
            do(request.namespace or "", request.name or "")

    served.api.observers.append(observe)


def _replace_pods(served: Served, *, budget: int = 0) -> None:
    """Let evicted pods go after a moment, and another replica of web come; refuse its first evictions by a budget."""
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    refusal = ApiError(429, "TooManyRequests", message, {"retryAfterSeconds": 0.01})
    served.api.add_fault("evict", when=_is_of_web, times=budget, error=refusal)

    def replace(namespace: str, name: str) -> None:
        served.lose("Pod", namespace, name)
        if name == "web-0":
            served.have(pod("web", "1", node="node-2"))

    def replace_later(namespace: str, name: str) -> None:
        asyncio.get_running_loop().call_later(0.01, replace, namespace, name)

    _on_eviction(served, replace_later)


async def test_a_drain_reports_every_pod(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "AGAIN_SECONDS", 0.01)
    objects = (mill_deployment(WEB), node(), pod("web"), STATEFUL, DAEMON, LOOSE)
    async with serve(*objects, settings=DRAIN) as served:
        _replace_pods(served, budget=2)
        answer = await served.http.post("/v1/nodes/node-1/drain")
        events = _events(answer.text)
        patched, *evicted = served.api.requests
        assert patched.body["spec"] == {"unschedulable": True}
        assert sorted(each.name or "" for each in evicted) == ["stateful", "web-0", "web-0", "web-0"]
        assert all(each.body["deleteOptions"]["preconditions"]["uid"] for each in evicted)
        assert [each["metadata"]["name"] for each in served.api.all(PODS)] == ["web-1", "daemon", "loose"]
    assert events[0] == ("progress", {"phase": "started"})
    assert events[1][0] == "failed"
    assert events[1][1]["pod"] == "kube-system/loose"
    web = [data for _, data in events if data.get("service") == "web"]
    assert [each["phase"] for each in web] == ["waiting", "stopped", "scheduled", "healthy", "migrated"]
    assert web[2] == {"service": "web", "phase": "scheduled", "node": "node-2"}
    assert ("progress", {"pod": "kube-system/stateful", "phase": "evicted"}) in events
    assert (events[-1][0], events[-1][1]["success"]) == ("done", False)
    assert [name for name, _ in events].count("done") == 1


async def test_a_second_request_joins_the_drain_and_a_resumed_client_gets_the_rest(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "AGAIN_SECONDS", 0.01)
    async with serve(mill_deployment(WEB), node(), pod("web"), settings=DRAIN) as served:
        _replace_pods(served, budget=3)
        first, second = await asyncio.gather(*(served.http.post("/v1/nodes/node-1/drain") for _ in range(2)))
        assert first.text == second.text
        assert [each.verb for each in served.api.requests].count("patch") == 1
        ids = [line.removeprefix("id: ") for line in first.text.split("\r\n") if line.startswith("id: ")]
        rest = await served.http.post("/v1/nodes/node-1/drain", headers={"Last-Event-ID": ids[1]})
        assert rest.text == "\r\n\r\n".join(first.text.split("\r\n\r\n")[2:])


async def test_a_node_that_is_cordoned_is_not_cordoned_again_and_time_ends(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), node(unschedulable=True), pod("web"), settings=DRAIN) as served:
        _replace_pods(served, budget=1000)
        answer = await served.http.post("/v1/nodes/node-1/drain?timeout=100ms")
        events = _events(answer.text)
        assert "patch" not in [each.verb for each in served.api.requests]
        assert events[-2][1]["reason"].startswith("not evicted: Cannot evict pod")
        assert events[-1][1]["success"] is False


async def test_failed_new_replicas_are_reported_with_the_operators_message(serve: Serve) -> None:
    failed = {"services": [{"name": "web", "state": "Failed", "message": "no nodes available: insufficient memory"}]}
    async with serve(mill_deployment(WEB), node(), pod("web"), settings=DRAIN) as served:

        def replace(namespace: str, name: str) -> None:
            served.lose("Pod", namespace, name)
            homeless = pod("web", "1", node=None, ready=False, phase="Pending", state={"waiting": {}})
            served.have(homeless, mill_deployment(WEB, status=failed))

        _on_eviction(served, replace)
        events = _events((await served.http.post("/v1/nodes/node-1/drain")).text)
        assert events[-2] == ("failed", {"service": "web", "reason": "no nodes available: insufficient memory"})


async def test_a_transient_refusal_is_waited_for_and_delays_no_other_pod(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "AGAIN_SECONDS", 0.01)
    timeout = ApiError(504, "Timeout", "couldn't update PodDisruptionBudget")
    async with serve(mill_deployment(WEB), node(), pod("web"), STATEFUL, settings=DRAIN) as served:
        _replace_pods(served)
        served.api.add_fault("evict", when=_is_of_web, times=1, error=Unreachable("connection refused"))
        served.api.add_fault("evict", when=_is_of_web, first=2, times=1, error=timeout)
        events = _events((await served.http.post("/v1/nodes/node-1/drain")).text)
    web = [data for _, data in events if data.get("service") == "web"]
    assert [each["phase"] for each in web] == ["waiting", "stopped", "scheduled", "healthy", "migrated"]
    assert web[0]["message"] == "connection refused"
    assert ("progress", {"pod": "kube-system/stateful", "phase": "evicted"}) in events
    assert events[-1][1]["success"] is True


@pytest.mark.parametrize(
    "refusal",
    [
        ApiError(403, "Forbidden", "it goes", {"causes": [{"reason": "NamespaceTerminating"}]}),
        Conflict(409, "Conflict", "the UID in the precondition does not match"),
        NotFound(404, "NotFound", "pods stateful not found"),
    ],
    ids=["its namespace is deleted", "another pod has its name", "it is gone"],
)
async def test_a_terminating_pod_is_only_waited_for(
    serve: Serve, refusal: ApiError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "AGAIN_SECONDS", 0.01)
    async with serve(node(), STATEFUL, settings=DRAIN) as served:

        def go(_request: Request) -> None:
            asyncio.get_running_loop().call_later(0.03, served.lose, "Pod", "kube-system", "stateful")

        served.api.add_fault("evict", error=refusal, meanwhile=go)
        events = _events((await served.http.post("/v1/nodes/node-1/drain")).text)
        assert [data.get("phase") for _, data in events] == ["started", "evicted", None]
        assert events[-1][1]["success"] is True


async def test_a_drain_ends_at_an_internal_error(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), node(), pod("web"), STATEFUL, settings=DRAIN) as served:
        served.api.add_fault("evict", when=_is_of_web, error=RuntimeError("a mistake"))
        events = _events((await served.http.post("/v1/nodes/node-1/drain")).text)
        assert [name for name, _ in events] == ["progress", "failed", "done"]
        served.lose("Pod", "kube-system", "stateful")
        await asyncio.sleep(0.01)
        (drain,) = served.gateway.drains._drains.values()
        assert drain.events[-1].name == "done"


async def test_a_terminating_replica_is_not_replaced_twice(serve: Serve) -> None:
    going = pod("web", "0", deletionTimestamp="2026-02-14T10:00:00Z")
    async with serve(mill_deployment(WEB), node(), going, pod("web", "1", node="node-2"), settings=DRAIN) as served:
        _on_eviction(served, lambda *which: served.lose("Pod", *which))
        events = _events((await served.http.post("/v1/nodes/node-1/drain?timeout=200ms")).text)
        assert [data.get("phase") for _, data in events] == ["started", "stopped", "healthy", "migrated", None]
        assert events[-1][1]["success"] is True


async def test_of_a_service_that_left_its_deployment_only_the_end_is_reported(serve: Serve) -> None:
    async with serve(mill_deployment(), node(), pod("web"), settings=DRAIN) as served:
        _replace_pods(served)
        events = _events((await served.http.post("/v1/nodes/node-1/drain?timeout=200ms")).text)
        assert [data.get("phase") for _, data in events] == ["started", "stopped", None]
        assert events[-1][1]["success"] is True


async def test_a_later_verdict_is_reported_when_it_comes(serve: Serve) -> None:
    failed = {"services": [{"name": "web", "state": "Failed", "message": "no nodes available: insufficient memory"}]}
    homeless = pod("web", "1", node=None, ready=False, phase="Pending", state={"waiting": {}})
    async with serve(mill_deployment(WEB), node(), pod("web"), settings=DRAIN) as served:

        def replace(namespace: str, name: str) -> None:
            served.lose("Pod", namespace, name)
            loop = asyncio.get_running_loop()
            loop.call_later(0.02, served.have, homeless)
            loop.call_later(0.04, lambda: served.have(mill_deployment(WEB, status=failed)))

        _on_eviction(served, replace)
        events = _events((await served.http.post("/v1/nodes/node-1/drain?timeout=2s")).text)
        assert events[-2] == ("failed", {"service": "web", "reason": "no nodes available: insufficient memory"})


async def test_a_pod_scheduled_before_the_cordon_took_effect_is_evicted_too(serve: Serve) -> None:
    async with serve(node(), STATEFUL, settings=DRAIN) as served:

        def replace(namespace: str, name: str) -> None:
            if name == "stateful":
                served.have(_foreign("late", "ReplicaSet", uid="late"))
            served.lose("Pod", namespace, name)

        _on_eviction(served, replace)
        events = _events((await served.http.post("/v1/nodes/node-1/drain")).text)
        evicted = [data["pod"] for _, data in events if data.get("phase") == "evicted"]
        assert evicted == ["kube-system/stateful", "kube-system/late"]


async def test_finished_drains_are_forgotten(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "KEPT", 2)
    names = [f"node-{number}" for number in range(5)]
    async with serve(*(node(each) for each in names), settings=DRAIN) as served:
        for each in names:
            await served.http.post(f"/v1/nodes/{each}/drain")
        assert list(served.gateway.drains._drains) == names[-2:]
