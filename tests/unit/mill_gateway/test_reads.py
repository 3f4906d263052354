"""Reads of services, volumes, counts and nodes, from the caches alone."""

import json
from typing import Any

import pytest

from mill_gateway.core.nodes import NodeView
from mill_gateway.core.reach import NO_CLASS, NO_INGRESS
from mill_gateway.core.services import ServiceView
from mill_gateway.settings import Settings
from mill_kube.resources import CLAIMS
from tests.support.apiserver import Token
from tests.support.gateway.objects import claim, ingress, job, mill_deployment, node, pod
from tests.support.gateway.served import Serve

WEB = {"name": "web", "image": "registry/web:v2", "port": 8080, "replicas": 2}
BROKEN = {"name": "broken", "image": "registry/web:missing", "port": 8080}
STATUS = {
    "services": [
        {
            "name": "web",
            "state": "Healthy",
            "replicas": {"desired": 2, "healthy": 1, "serving": 2},
            "servingImages": ["registry/web:v2", "registry/web:v1"],
            "template": "aaaa",
        },
        {
            "name": "broken",
            "state": "Failed",
            "replicas": {"desired": 1, "healthy": 0},
            "template": "bbbb",
            "reason": "TagNotFound",
            "message": "image pull failed: tag not found",
            "suggestion": "look at the tag",
        },
    ]
}


async def test_services_have_the_shape_of_the_original_and_more(serve: Serve) -> None:
    pulling = pod(
        "broken", template="bbbb", ready=False, phase="Pending", state={"waiting": {"reason": "ErrImagePull"}}
    )
    objects = (mill_deployment(WEB, BROKEN, status=STATUS), pod("web"), pulling, pod("web", namespace="other"))
    async with serve(*objects) as served:
        answer = await served.http.get("/v1/services")
        web, broken = answer.json()
        assert served.api.requests == []
    assert web == {
        "name": "web",
        "image": "registry/web:v2",
        "replicas": {"desired": 2, "healthy": 1, "serving": 2},
        "allocations": [
            {
                "id": "web-0",
                "node": "node-1",
                "status": "healthy",
                "address": "10.244.0.7:8080",
                "cpu": 0.5,
                "memory": 512000000,
                "started_at": "2026-02-14T10:00:01Z",
                "restarts": 0,
                "current": True,
            }
        ],
        "namespace": "default",
        "deployment": "mill",
        "serving_images": ["registry/web:v2", "registry/web:v1"],
        "update": None,
        "port": 8080,
        "ports": [],
        "outside": [],
        "routes": [],
        "state": "Healthy",
        "reason": None,
        "message": None,
        "detail": None,
        "suggestion": None,
        "created_at": "2026-02-14T10:00:00Z",
        "changed_at": None,
        "since": None,
        "due_at": None,
        "root": None,
    }
    assert [web["name"], broken["name"], broken["reason"]] == ["web", "broken", "TagNotFound"]
    assert broken["allocations"][0]["status"] == "failed"
    for each in answer.json():
        ServiceView.model_validate_json(json.dumps(each), extra="forbid", strict=True)


async def test_routes_of_services_have_their_urls(serve: Serve) -> None:
    shop = WEB | {"routes": [{"host": "shop.example.com", "path": "/"}]}
    objects = (mill_deployment(shop, BROKEN, status=STATUS), ingress("web", "shop.example.com"))
    async with serve(*objects) as served:
        web, broken = (await served.http.get("/v1/services")).json()
        assert web["routes"] == [{"url": "http://shop.example.com/", "address": None, "problem": NO_CLASS}]
        assert broken["routes"] == []
        before = await served.http.get("/v1/deployments/mill")
        assert before.json()["routes"] == [{"service": "web", **web["routes"][0]}]
        served.have(ingress("web", "shop.example.com", address="203.0.113.10"))
        known = {"If-None-Match": before.headers["ETag"]}
        after = await served.http.get("/v1/deployments/mill", headers=known)
        assert [each["address"] for each in after.json()["routes"]] == ["203.0.113.10"]
        known = {"If-None-Match": after.headers["ETag"]}
        assert (await served.http.get("/v1/deployments/mill", headers=known)).status_code == 304
        assert served.api.requests == []


async def test_the_ingress_of_another_deployment_serves_no_route(serve: Serve) -> None:
    shop = WEB | {"routes": [{"host": "shop.example.com", "path": "/"}]}
    other = ingress("web", "shop.example.com", deployment="second", address="203.0.113.10")
    async with serve(mill_deployment(shop), other) as served:
        (web,) = (await served.http.get("/v1/services")).json()
        assert [each["problem"] for each in web["routes"]] == [NO_INGRESS]


async def test_without_deployments_lists_are_empty(serve: Serve) -> None:
    async with serve() as served:
        for path in ("services", "volumes", "nodes", "deployments"):
            assert (await served.http.get(f"/v1/{path}")).json() == []


async def test_services_of_one_deployment(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), mill_deployment(BROKEN, name="b")) as served:
        everything = (await served.http.get("/v1/services")).json()
        assert [(each["deployment"], each["name"]) for each in everything] == [("b", "broken"), ("mill", "web")]
        assert [each["name"] for each in (await served.http.get("/v1/services?name=b")).json()] == ["broken"]
        assert [each["name"] for each in (await served.http.get("/v1/services?service=web")).json()] == ["web"]
        assert (await served.http.get("/v1/services?service=nope")).json() == []


async def test_replicas_of_another_deployment_do_not_count(serve: Serve) -> None:
    taken = {"services": [{"name": "web", "state": "Failed", "reason": "NameTaken"}]}
    objects = (mill_deployment(WEB), mill_deployment(WEB, name="second", status=taken), pod("web"))
    async with serve(*objects) as served:
        first, second = (await served.http.get("/v1/services")).json()
        assert [each["id"] for each in first["allocations"]] == ["web-0"]
        assert (second["reason"], second["allocations"]) == ("NameTaken", [])


async def test_a_service_that_the_operator_has_not_observed_is_pending(serve: Serve) -> None:
    async with serve(mill_deployment(WEB)) as served:
        (web,) = (await served.http.get("/v1/services")).json()
        none = {"desired": 2, "healthy": 0, "serving": 0}
        assert (web["state"], web["replicas"], web["allocations"]) == ("Pending", none, [])


@pytest.mark.parametrize(
    ("status", "serving", "image", "expected"),
    [
        ({"state": "Failed"}, 2, "web:2", "update to web:3 failed (0/2)"),
        ({"state": "Starting", "replicas": {"healthy": 1}}, 3, "web:2", "update to web:3 in progress (1/2)"),
        ({"state": "Suspect"}, 2, "web:3", "update in progress (0/2)"),
        ({"state": "Waiting", "message": "waiting for db"}, 2, "web:2", "update to web:3 waiting for db (0/2)"),
        ({"state": "Waiting"}, 2, "web:2", "update to web:3 waiting (0/2)"),
        ({"state": "Hibernating"}, 2, "web:2", "update to web:3 in progress (0/2)"),
        ({"state": "Failed", "replicas": {"healthy": 1}}, 1, "web:3", None),
        ({"state": "Failed"}, 0, "web:2", None),
        # The version that serves is the desired one, which has crashed since it settled.
        ({"state": "Suspect", "settledAt": "2026-01-31T12:00:00.000Z"}, 2, "web:3", None),
        ({"state": "Failed", "template": "a", "healthyTemplate": "a"}, 2, "web:3", None),
        ({"state": "Failed", "template": "b", "healthyTemplate": "a"}, 2, "web:2", "update to web:3 failed (0/2)"),
        ({"state": "Healthy", "replicas": {"healthy": 2}}, 3, "web:3", None),
    ],
)
async def test_a_service_says_what_becomes_of_its_update(
    serve: Serve, status: dict[str, Any], serving: int, image: str, expected: str | None
) -> None:
    replicas = {"desired": 2, "healthy": 0, "serving": serving, **status.get("replicas", {})}
    web = {"name": "web", "image": "web:3", **status, "replicas": replicas, "servingImages": [image]}
    async with serve(mill_deployment(WEB, status={"services": [web]})) as served:
        (service,) = (await served.http.get("/v1/services")).json()
        ((summary,),) = [each["services"] for each in (await served.http.get("/v1/deployments")).json()]
        assert (service["update"], service["serving_images"]) == (expected, [image])
        assert (summary["update"], summary["serving_images"]) == (expected, [image])
        assert service["replicas"]["serving"] == summary["replicas"]["serving"] == serving
        assert (await served.http.get("/v1/status")).json()["serving_count"] == (serving > 0)


WAITING = {"ready": False, "phase": "Pending"}


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (pod("web"), "healthy"),
        (pod("web", ready=False), "running"),
        (pod("web", ready=False, node=None, phase="Pending", state={"waiting": {}}), "starting"),
        (pod("web", **WAITING, state={"waiting": {"reason": "ContainerCreating"}}), "starting"),
        (pod("web", **WAITING, state={"waiting": {"reason": "ImagePullBackOff"}}), "failed"),
        (pod("web", ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}}), "failed"),
        (pod("web", ready=False, phase="Failed"), "failed"),
        (pod("web", ready=False, phase="Succeeded"), "stopped"),
        (pod("web", deletionTimestamp="2026-02-14T10:00:02Z"), "stopped"),
        # Of the version that has failed by the operator's verdict, and of the one before.
        (pod("broken", template="bbbb", ready=False), "failed"),
        (pod("broken", template="aaaa", ready=False), "running"),
    ],
)
async def test_states_of_replicas(serve: Serve, made: dict[str, Any], status: str) -> None:
    async with serve(mill_deployment(WEB, BROKEN, status=STATUS), made) as served:
        shown = [each for service in (await served.http.get("/v1/services")).json() for each in service["allocations"]]
        assert [each["status"] for each in shown] == [status]


async def test_a_missing_image_is_pulling(serve: Serve) -> None:
    made = pod("web", **WAITING, state={"waiting": {"reason": "ContainerCreating"}})
    made["status"]["containerStatuses"][0]["imageID"] = ""
    async with serve(mill_deployment(WEB), made) as served:
        (web,) = (await served.http.get("/v1/services")).json()
        assert web["allocations"][0]["status"] == "pulling"


async def test_volumes(serve: Serve) -> None:
    objects = (claim("data", "db"), pod("db", claims=("data",)), claim("old", "gone"))
    async with serve(*objects) as served:
        data, old = (await served.http.get("/v1/volumes")).json()
        assert served.api.requests == []
    assert data == {
        "name": "data",
        "state": "attached",
        "node": "node-1",
        "cloud_id": "pv-data",
        "namespace": "default",
        "deployment": "mill",
        "service": "db",
        "size": "5Gi",
        "size_bytes": 5368709120,
        "phase": "Bound",
    }
    assert (old["state"], old["node"]) == ("ready", None)


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("data", 409, "volume is attached"),
        ("nope", 404, "volume not found"),
        ("leaving", 404, "volume not found"),
        ("of-others", 404, "volume not found"),
    ],
)
async def test_a_volume_that_is_not_deleted(serve: Serve, name: str, status: int, error: str) -> None:
    leaving = claim("leaving", "db")
    leaving["metadata"]["deletionTimestamp"] = "2026-02-14T10:00:02Z"
    others = claim("of-others", "db", namespace="other")
    async with serve(claim("data", "db"), pod("db", claims=("data",)), leaving, others) as served:
        answer = await served.http.delete(f"/v1/volumes/{name}")
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert served.api.requests == []


async def test_a_volume_is_attached_whichever_service_mounts_it(serve: Serve) -> None:
    """One that has moved to another service of the file, say, whose old service is not yet gone."""
    async with serve(claim("data", "db"), pod("other", claims=("data",))) as served:
        (data,) = (await served.http.get("/v1/volumes")).json()
        assert (data["state"], data["node"]) == ("attached", "node-1")
        answer = await served.http.delete("/v1/volumes/data")
        assert (answer.status_code, answer.json()["pod"]) == (409, "other-0")
        served.have(pod("other", claims=("data",), deletionTimestamp="2026-02-14T10:00:02Z"))
        assert (await served.http.get("/v1/volumes")).json()[0]["state"] == "attached"
        served.lose("Pod", "default", "other-0")
        assert (await served.http.get("/v1/volumes")).json()[0]["state"] == "ready"
        assert len(served.gateway.stores.mounts) == 0


async def test_a_volume_that_is_being_deleted_is_shown_as_such(serve: Serve) -> None:
    leaving = claim("data", "db")
    leaving["metadata"]["deletionTimestamp"] = "2026-02-14T10:00:02Z"
    async with serve(leaving) as served:
        (data,) = (await served.http.get("/v1/volumes")).json()
        assert data["phase"] == "Terminating"


async def test_a_volume_is_deleted_by_its_uid(serve: Serve) -> None:
    ended = pod("db", claims=("data",), phase="Succeeded", ready=False)
    async with serve(claim("data", "db"), ended) as served:
        assert (await served.http.delete("/v1/volumes/data")).status_code == 204
        (asked,) = served.api.requests
        assert (asked.name, asked.body["preconditions"]) == ("data", {"uid": "uid-of-default-data"})
        assert served.api.all(CLAIMS) == []


NODES = (node("a", cpu="4", memory="8Gi"), node("b", cpu="500m", memory="1Gi", ready=False))
FOREIGN = {**pod("x", namespace="kube-system", node="b", cpu="1", memory="2Gi")}
FOREIGN["metadata"]["labels"] = {}


async def test_free_resources_of_nodes_exclude_requests_of_all_pods(serve: Serve) -> None:
    async with serve(*NODES, pod("web", node="a"), FOREIGN) as served:
        a, b = (await served.http.get("/v1/nodes")).json()
    assert a == {
        "id": "a",
        "address": "10.0.0.1",
        "status": "ready",
        "cpu_total": 4.0,
        "cpu_available": 3.5,
        "memory_total_bytes": 8589934592,
        "memory_available_bytes": 8589934592 - 512000000,
        "alloc_count": 1,
        "pod_count": 1,
        "platform": "linux/amd64",
    }
    assert (b["status"], b["cpu_available"], b["memory_available_bytes"], b["alloc_count"]) == ("down", -0.5, 0, 0)
    NodeView.model_validate(a, extra="forbid", strict=True)


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (node(), "ready"),
        (node(unschedulable=True), "draining"),
        (node(ready=False, unschedulable=True), "down"),
    ],
)
async def test_states_of_nodes(serve: Serve, made: dict[str, Any], status: str) -> None:
    async with serve(made) as served:
        assert [each["status"] for each in (await served.http.get("/v1/nodes")).json()] == [status]


async def test_counts(serve: Serve) -> None:
    objects = (mill_deployment(WEB, BROKEN), mill_deployment(WEB, namespace="other"), job("migrate-1", "migrate"))
    async with serve(*objects, *NODES, pod("web", node="a"), FOREIGN) as served:
        answer = await served.http.get("/v1/status")
    assert answer.text == (
        '{"node_count":2,"service_count":2,"task_count":1,"cpu_total":4.5,"cpu_available":3.0,'
        f'"memory_total_bytes":{9 * 2**30},"memory_available_bytes":{8 * 2**30 - 512000000},"serving_count":0,'
        '"namespace":"default","deployments":[{"name":"mill","namespace":"default","state":"InProgress",'
        '"message":"not observed by the operator yet","paused":false,'
        '"service_count":2,"healthy_count":0,"rollout":"1"}]}'
    )


async def test_a_summary_has_the_next_runs_on_schedule(serve: Serve) -> None:
    late = {"name": "late", "nextRun": "2026-02-15T02:00:00.000Z", "lastRun": "2026-02-14T02:00:00.000Z"}
    soon = {"name": "soon", "nextRun": "2026-02-14T11:00:00.000Z", "missedRun": "2026-02-14T10:00:00.000Z"}
    tasks = [late, soon, {"name": "never"}]
    async with serve(mill_deployment(status={"tasks": tasks})) as served:
        where = {"deployment": "mill", "namespace": "default"}
        assert (await served.http.get("/v1/status")).json()["schedules"] == [
            {"task": "soon", **where, "next_run": soon["nextRun"], "missed_run": soon["missedRun"]},
            {"task": "late", **where, "next_run": late["nextRun"], "last_run": late["lastRun"]},
        ]


async def test_a_summary_and_a_deployment_have_the_tasks_of_rollouts(serve: Serve) -> None:
    began, ended = "2026-02-14T10:00:00.000Z", "2026-02-14T10:00:04.100Z"
    ran = {"version": "abc", "rollout": "1"}
    states = [
        {**ran, "name": "migrate", "state": "Succeeded", "run": "migrate-1", "startedAt": began, "finishedAt": ended},
        {**ran, "name": "warm-up", "state": "Waiting", "message": "waiting for web"},
        {**ran, "name": "gone", "state": "Succeeded", "run": "gone-1", "succeeded": ["abc"]},
        {**ran, "name": "leaves", "state": "Running", "run": "leaves-1", "startedAt": began},
        {**ran, "name": "back", "state": "Succeeded", "succeeded": ["abc"]},
    ]
    resource = mill_deployment(WEB, status={"rolloutTasks": states})
    resource["spec"]["tasks"] = [
        {"name": "migrate", "image": "web:1", "before": ["web"]},
        {"name": "warm-up", "image": "web:1", "after": ["web"]},
        {"name": "back", "image": "web:1", "before": ["web", 7]},
    ]
    where = {"deployment": "mill", "namespace": "default"}
    done = {"state": "succeeded", "run": "migrate-1", "duration": 4.1, "started_at": began, "finished_at": ended}
    shown = [
        {"task": "migrate", **where, "before": ["web"], "after": [], **done},
        {"task": "warm-up", **where, "before": [], "after": ["web"], "state": "waiting", "message": "waiting for web"},
        {"task": "leaves", **where, "before": [], "after": [], "state": "running", "run": "leaves-1"}
        | {"started_at": began},
        {"task": "back", **where, "before": ["web"], "after": [], "state": "succeeded"},
    ]
    async with serve(resource) as served:
        assert (await served.http.get("/v1/status")).json()["rollout_tasks"] == shown
        detail = (await served.http.get("/v1/deployments/mill")).json()
        assert (detail["rollout_tasks"], detail["schedules"]) == (shown, [])


async def test_a_summary_names_what_has_regressed(serve: Serve) -> None:
    failed = {"service": "web", "reason": "out of memory", "code": "OutOfMemory", "at": "2026-02-14T10:00:18.2Z"}
    rollout = {"id": "4", "startedAt": "2026-02-14T10:00:00Z", "finishedAt": "2026-02-14T10:00:04Z", "success": True}
    regressed = mill_deployment(WEB, status={"rollout": rollout | {"regressed": [failed]}})
    async with serve(regressed, mill_deployment(BROKEN, name="other", status={"rollout": rollout})) as served:
        assert (await served.http.get("/v1/status")).json()["regressions"] == [
            {
                "deployment": "mill",
                "namespace": "default",
                "rollout": "4",
                "result": "succeeded, then web failed after 14 s: out of memory",
                "regressed": [failed],
            }
        ]


async def test_as_many_runs_are_counted_as_are_listed(serve: Serve) -> None:
    """Runs without a Job count too: it was deleted by a user, or by the cluster after a while."""
    ended = [
        {"name": name, "state": "Stopped", "createdAt": "2026-02-14T10:00:00Z"} for name in ("migrate-1", "migrate-2")
    ]
    status = {"tasks": [{"name": "migrate", "runs": ended}]}
    async with serve(mill_deployment(status=status), job("migrate-2", "migrate"), job("migrate-3", "migrate")) as it:
        assert len((await it.http.get("/v1/tasks")).json()) == 3
        assert (await it.http.get("/v1/status")).json()["task_count"] == 3


async def test_objects_without_the_right_to_list_count_as_zero(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), *NODES, settings=Settings(kubernetes_tokens=True)) as served:
        served.api.accounts.tokens["good-token"] = Token({"username": "bot"})
        served.api.accounts.is_allowed = lambda spec: spec["resourceAttributes"]["resource"] == "milldeployments"
        shown = (await served.http.get("/v1/status", headers={"Authorization": "Bearer good-token"})).json()
        assert (shown["node_count"], shown["service_count"], shown["cpu_total"]) == (0, 1, 0.0)


async def test_without_the_setting_no_nodes_are_listed(serve: Serve) -> None:
    async with serve(mill_deployment(WEB), settings=Settings(nodes=False)) as served:
        assert (await served.http.get("/v1/nodes")).json() == []
        assert (await served.http.get("/v1/status")).json()["node_count"] == 0
