"""Services over HTTP, with their replicas and routes: from the caches alone."""

import json
from typing import Any

import pytest

from mill_gateway.core.reach import NO_CLASS, NO_INGRESS
from mill_gateway.core.services import ServiceView
from tests.support.gateway.objects import ingress, mill_deployment, pod
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
