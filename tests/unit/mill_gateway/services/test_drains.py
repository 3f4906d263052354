"""Draining and removing nodes: evicted pods, events, and refusals."""

import asyncio
import json
from typing import Any

import pytest

from mill_gateway.core.draining import describe_unmanaged, movable, plan_drain
from mill_gateway.objects.nodes import project_node_pod
from mill_gateway.objects.pods import Program
from mill_gateway.services import drains
from mill_gateway.settings import Settings
from mill_kube.errors import ApiError, Conflict, NotFound, Unreachable
from tests.unit.mill_gateway.conftest import Recorded, Request, Serve
from tests.unit.mill_gateway.objects import mill_deployment, node, pod

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
async def test_a_drain_is_refused_unless_the_setting_allows_it(served: Serve, method: str, path: str) -> None:
    async with served(node()) as recorded:
        answer = await recorded.http.request(method, path)
        assert (answer.status_code, "MILL_DRAIN=true" in answer.json()["error"]) == (403, True)
    async with served(settings=DRAIN) as recorded:
        answer = await recorded.http.request(method, path)
        assert (answer.status_code, answer.json()["error"]) == (404, "node not found")


async def test_an_empty_node_is_removed(served: Serve) -> None:
    async with served(node(), DAEMON, LOOSE, settings=DRAIN) as recorded:
        recorded.kube.answers["delete", "nodes"] = {}
        refused = await recorded.http.delete("/v1/nodes/node-1")
        assert (refused.status_code, refused.json()["error"]) == (409, "node has active allocations")
        assert refused.json()["pods"] == ["kube-system/loose"]
        recorded.lose("Pod", "kube-system", "loose")
        assert (await recorded.http.delete("/v1/nodes/node-1")).status_code == 204
        (asked,) = recorded.kube.requests
        assert (asked.name, asked.body) == ("node-1", {"preconditions": {"uid": "uid-of--node-1"}})


def _told(text: str) -> list[tuple[str, dict[str, Any]]]:
    events = [part.split("\r\n") for part in text.split("\r\n\r\n") if part.startswith("event")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data, _ in events]


def _evictions(recorded: Recorded, *, budget: int = 0) -> Any:
    """Answer evictions: a budget refuses some, then pods end, and another replica of web appears."""
    refusals = budget

    def answer(asked: Request) -> Any:
        nonlocal refusals
        if asked.name == "web-0" and refusals:
            refusals -= 1
            words = "Cannot evict pod as it would violate the pod's disruption budget."
            return ApiError(429, "TooManyRequests", words, {"retryAfterSeconds": 0.01})

        def later() -> None:
            assert asked.name is not None
            assert asked.namespace is not None
            recorded.lose("Pod", asked.namespace, asked.name)
            if asked.name == "web-0":
                recorded.have(pod("web", "1", node="node-2"))

        asyncio.get_running_loop().call_later(0.01, later)
        return {}

    return answer


async def test_a_drain_reports_every_pod(served: Serve) -> None:
    objects = (mill_deployment(WEB), node(), pod("web"), STATEFUL, DAEMON, LOOSE)
    async with served(*objects, settings=DRAIN) as recorded:
        recorded.kube.answers |= {
            ("patch", "nodes"): {},
            ("create", "pods/eviction"): _evictions(recorded, budget=2),
        }
        answer = await recorded.http.post("/v1/nodes/node-1/drain")
        told = _told(answer.text)
        patched, *evicted = recorded.kube.requests
        assert patched.body["spec"] == {"unschedulable": True}
        assert sorted(each.name or "" for each in evicted) == ["stateful", "web-0", "web-0", "web-0"]
        assert all(each.body["deleteOptions"]["preconditions"]["uid"] for each in evicted)
    assert told[0] == ("progress", {"phase": "started"})
    assert told[1][0] == "failed"
    assert told[1][1]["pod"] == "kube-system/loose"
    web = [data for _, data in told if data.get("service") == "web"]
    assert [each["phase"] for each in web] == ["waiting", "stopped", "scheduled", "healthy", "migrated"]
    assert web[2] == {"service": "web", "phase": "scheduled", "node": "node-2"}
    assert ("progress", {"pod": "kube-system/stateful", "phase": "evicted"}) in told
    assert (told[-1][0], told[-1][1]["success"]) == ("done", False)
    assert [name for name, _ in told].count("done") == 1


async def test_a_second_request_joins_the_drain_and_a_resumed_client_gets_the_rest(served: Serve) -> None:
    async with served(mill_deployment(WEB), node(), pod("web"), settings=DRAIN) as recorded:
        recorded.kube.answers |= {
            ("patch", "nodes"): {},
            ("create", "pods/eviction"): _evictions(recorded, budget=3),
        }
        first, second = await asyncio.gather(*(recorded.http.post("/v1/nodes/node-1/drain") for _ in range(2)))
        assert first.text == second.text
        assert [each.verb for each in recorded.kube.requests].count("patch") == 1
        ids = [line.removeprefix("id: ") for line in first.text.split("\r\n") if line.startswith("id: ")]
        rest = await recorded.http.post("/v1/nodes/node-1/drain", headers={"Last-Event-ID": ids[1]})
        assert rest.text == "\r\n\r\n".join(first.text.split("\r\n\r\n")[2:])


async def test_a_node_that_is_cordoned_is_not_cordoned_again_and_time_ends(served: Serve) -> None:
    async with served(mill_deployment(WEB), node(unschedulable=True), pod("web"), settings=DRAIN) as recorded:
        recorded.kube.answers["create", "pods/eviction"] = _evictions(recorded, budget=1000)
        answer = await recorded.http.post("/v1/nodes/node-1/drain?timeout=100ms")
        told = _told(answer.text)
        assert "patch" not in [each.verb for each in recorded.kube.requests]
        assert told[-2][1]["reason"].startswith("not evicted: Cannot evict pod")
        assert told[-1][1]["success"] is False


async def test_failed_new_replicas_are_reported_with_the_operators_message(served: Serve) -> None:
    failed = {"services": [{"name": "web", "state": "Failed", "message": "no nodes available: insufficient memory"}]}
    async with served(mill_deployment(WEB), node(), pod("web"), settings=DRAIN) as recorded:

        def answer(asked: Request) -> Any:
            recorded.lose("Pod", "default", "web-0")
            homeless = pod("web", "1", node=None, ready=False, phase="Pending", state={"waiting": {}})
            recorded.have(homeless, mill_deployment(WEB, status=failed))
            return {}

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): answer}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain")).text)
        assert told[-2] == ("failed", {"service": "web", "reason": "no nodes available: insufficient memory"})


async def test_a_transient_refusal_is_waited_for_and_delays_no_other_pod(
    served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "AGAIN_SECONDS", 0.01)
    refusals = [Unreachable("connection refused"), ApiError(504, "Timeout", "couldn't update PodDisruptionBudget")]
    async with served(mill_deployment(WEB), node(), pod("web"), STATEFUL, settings=DRAIN) as recorded:
        evict = _evictions(recorded)

        def answer(asked: Request) -> Any:
            return refusals.pop(0) if asked.name == "web-0" and refusals else evict(asked)

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): answer}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain")).text)
    web = [data for _, data in told if data.get("service") == "web"]
    assert [each["phase"] for each in web] == ["waiting", "stopped", "scheduled", "healthy", "migrated"]
    assert web[0]["message"] == "connection refused"
    assert ("progress", {"pod": "kube-system/stateful", "phase": "evicted"}) in told
    assert told[-1][1]["success"] is True


@pytest.mark.parametrize(
    "refusal",
    [
        ApiError(403, "Forbidden", "it goes", {"causes": [{"reason": "NamespaceTerminating"}]}),
        Conflict(409, "Conflict", "the UID in the precondition does not match"),
        NotFound(404, "NotFound", "pods stateful not found"),
    ],
    ids=["its namespace goes", "another one has its name", "it is gone"],
)
async def test_a_terminating_pod_is_only_waited_for(
    served: Serve, refusal: ApiError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drains, "AGAIN_SECONDS", 0.01)
    async with served(node(), STATEFUL, settings=DRAIN) as recorded:

        def answer(asked: Request) -> Any:
            asyncio.get_running_loop().call_later(0.03, recorded.lose, "Pod", "kube-system", "stateful")
            return refusal

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): answer}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain")).text)
        assert [data.get("phase") for _, data in told] == ["started", "evicted", None]
        assert told[-1][1]["success"] is True


async def test_a_drain_ends_at_an_internal_error(served: Serve) -> None:
    async with served(mill_deployment(WEB), node(), pod("web"), STATEFUL, settings=DRAIN) as recorded:

        def answer(asked: Request) -> Any:
            if asked.name == "web-0":
                raise RuntimeError("a mistake")
            return {}  # and it never goes

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): answer}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain")).text)
        assert [name for name, _ in told] == ["progress", "failed", "done"]
        recorded.lose("Pod", "kube-system", "stateful")
        await asyncio.sleep(0.01)
        (drain,) = recorded.gateway.drains._drains.values()
        assert drain.events[-1].name == "done"


async def test_a_terminating_replica_is_not_replaced_twice(served: Serve) -> None:
    going = pod("web", "0", deletionTimestamp="2026-02-14T10:00:00Z")
    async with served(mill_deployment(WEB), node(), going, pod("web", "1", node="node-2"), settings=DRAIN) as recorded:

        def answer(asked: Request) -> Any:
            recorded.lose("Pod", "default", "web-0")
            return {}

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): answer}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain?timeout=200ms")).text)
        assert [data.get("phase") for _, data in told] == ["started", "stopped", "healthy", "migrated", None]
        assert told[-1][1]["success"] is True


async def test_of_a_service_that_left_its_deployment_only_the_end_is_reported(served: Serve) -> None:
    async with served(mill_deployment(), node(), pod("web"), settings=DRAIN) as recorded:
        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): _evictions(recorded)}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain?timeout=200ms")).text)
        assert [data.get("phase") for _, data in told] == ["started", "stopped", None]
        assert told[-1][1]["success"] is True


async def test_a_later_verdict_is_reported_when_it_comes(served: Serve) -> None:
    failed = {"services": [{"name": "web", "state": "Failed", "message": "no nodes available: insufficient memory"}]}
    homeless = pod("web", "1", node=None, ready=False, phase="Pending", state={"waiting": {}})
    async with served(mill_deployment(WEB), node(), pod("web"), settings=DRAIN) as recorded:

        def answer(asked: Request) -> Any:
            recorded.lose("Pod", "default", "web-0")
            loop = asyncio.get_running_loop()
            loop.call_later(0.02, recorded.have, homeless)
            loop.call_later(0.04, lambda: recorded.have(mill_deployment(WEB, status=failed)))
            return {}

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): answer}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain?timeout=2s")).text)
        assert told[-2] == ("failed", {"service": "web", "reason": "no nodes available: insufficient memory"})


async def test_a_pod_scheduled_before_the_cordon_took_effect_is_evicted_too(served: Serve) -> None:
    async with served(node(), STATEFUL, settings=DRAIN) as recorded:

        def answer(asked: Request) -> Any:
            if asked.name == "stateful":
                recorded.have(_foreign("late", "ReplicaSet", uid="late"))
            recorded.lose("Pod", "kube-system", asked.name or "")
            return {}

        recorded.kube.answers |= {("patch", "nodes"): {}, ("create", "pods/eviction"): answer}
        told = _told((await recorded.http.post("/v1/nodes/node-1/drain")).text)
        evicted = [data["pod"] for _, data in told if data.get("phase") == "evicted"]
        assert evicted == ["kube-system/stateful", "kube-system/late"]


async def test_finished_drains_are_forgotten(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "KEPT", 2)
    names = [f"node-{number}" for number in range(5)]
    async with served(*(node(each) for each in names), settings=DRAIN) as recorded:
        recorded.kube.answers["patch", "nodes"] = {}
        for each in names:
            await recorded.http.post(f"/v1/nodes/{each}/drain")
        assert list(recorded.gateway.drains._drains) == names[-2:]
