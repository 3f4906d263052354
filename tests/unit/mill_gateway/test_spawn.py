"""Runs of tasks, images and services started over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mill_gateway.settings import Settings
from mill_kube.connection import Request
from mill_kube.errors import ApiError
from mill_kube.resources import CRON_JOBS, JOBS, MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key
from tests.support.apiserver import Token
from tests.support.gateway.objects import cron_job, labels, mill_deployment, pod, with_run
from tests.support.gateway.served import Serve, Served

CRON_JOB = cron_job("migrate")


def _on_run(served: Served, then: Callable[[str], Json]) -> None:
    """Let the caches observe an object a moment after each run is created; `then` makes it from the run's name."""

    def observe(request: Request, answer: Json) -> None:
        if request.verb == "create" and request.resource == JOBS:
            asyncio.get_running_loop().call_later(0.01, lambda: served.have(then(answer["metadata"]["name"])))

    served.api.observers.append(observe)


def _task_of(run: str) -> str:
    return run.rpartition("-")[0]


async def test_a_spawn_is_answered_when_the_run_has_started(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        served.api.put(CRON_JOBS, CRON_JOB)
        _on_run(served, lambda run: pod("migrate", kind="task", run=run, ready=False))
        answer = await served.http.post(
            "/v1/tasks/spawn",
            json={"task": "migrate", "image": None, "cpu": 0.25, "memory": "256M", "env": {}, "timeout": None},
        )
        assert answer.status_code == 200
        assert list(answer.json()) == ["id", "node", "status", "address", "name"]
        assert answer.json()["status"] == "running"
        assert [each.verb for each in served.api.requests] == ["get", "create"]
        run = answer.json()["id"]
        assert run.startswith("migrate-")
        assert (await served.http.get(f"/v1/tasks/{run}")).json()["status"] == "running"


async def test_a_task_of_a_named_deployment_is_no_other_ones(serve: Serve) -> None:
    """Tasks have their names in a namespace: the other deployment's program would run instead."""
    async with serve(mill_deployment(), mill_deployment(name="second")) as served:
        served.api.put(CRON_JOBS, CRON_JOB)
        wanted = {"task": "migrate", "wait": False}
        answer = await served.http.post("/v1/tasks/spawn?name=second", json=wanted)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_run")
        assert answer.json()["error"] == "task migrate belongs to MillDeployment mill, and not to second"
        assert (await served.http.post("/v1/tasks/spawn?name=mill", json=wanted)).status_code == 200
        assert (await served.http.post("/v1/tasks/spawn", json=wanted)).status_code == 200


async def test_a_spawn_is_notified_by_the_runs_own_pod_alone(serve: Serve) -> None:
    async with serve() as served:
        with served.gateway.stores.pods.subscriptions.subscribe(Key("default", "migrate-1")) as changed:
            served.have(pod("migrate", "0", kind="task", run="migrate-2"), pod("migrate", "1"))
            assert not changed.is_set()
            served.have(pod("migrate", "2", kind="task", run="migrate-1"))
            assert changed.is_set()


async def test_a_run_that_cannot_start_is_an_error_with_the_operators_message_and_is_deleted(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        failed = {
            "state": "Failed",
            "reason": "TagNotFound",
            "message": "image pull failed: tag not found",
            "detail": "image web:9",
            "suggestion": "Push the tag, or name one that exists.",
        }
        served.api.put(CRON_JOBS, CRON_JOB)
        _on_run(served, lambda run: with_run(run, **failed))
        answer = await served.http.post("/v1/tasks/spawn", json={"template": "migrate"})
        assert answer.status_code == 500
        assert (answer.json()["error"], answer.json()["reason"]) == (failed["message"], "TagNotFound")
        assert {key: answer.json()[key] for key in ("detail", "suggestion")} == {
            key: failed[key] for key in ("detail", "suggestion")
        }
        assert served.api.requests[-1].verb == "delete"
        assert served.api.all(JOBS) == []


async def test_a_run_without_a_verdict_of_the_operator_is_judged_after_the_timeout(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_gateway.services.spawns.WAIT_SECONDS", 0.05)
    async with serve(mill_deployment()) as served:
        served.api.put(CRON_JOBS, CRON_JOB)
        pending = {"ready": False, "phase": "Pending", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
        _on_run(served, lambda run: pod("migrate", kind="task", run=run, **pending))
        answer = await served.http.post("/v1/tasks/spawn", json={"task": "migrate"})
        assert (answer.status_code, answer.json()["error"]) == (500, "the run has not started: ImagePullBackOff")
        assert served.api.requests[-1].verb == "delete"
        assert served.api.all(JOBS) == []


async def test_a_run_without_a_fitting_node_is_refused_soon(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mill_gateway.services.spawns.ROOM_SECONDS", 0.05)

    def homeless(run: str) -> dict[str, Any]:
        made = pod("migrate", kind="task", run=run, ready=False, node=None, phase="Pending", state={"waiting": {}})
        words = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
        made["status"]["conditions"].append(words)
        return made

    async with serve(mill_deployment()) as served:
        served.api.put(CRON_JOBS, CRON_JOB)
        _on_run(served, homeless)
        answer = await served.http.post("/v1/tasks/spawn", json={"task": "migrate"})
        assert (answer.status_code, answer.json()["error"]) == (503, "no node with sufficient resources")
        assert answer.json()["detail"] == "0/1 nodes"


@pytest.mark.parametrize(("status", "answered"), [(403, 500), (422, 500), (409, 409), (500, 502)])
async def test_a_refusal_of_the_cluster_is_one_line(serve: Serve, status: int, answered: int) -> None:
    words = 'admission webhook "policy.example" denied the request:\r\n\t\x1b[31mno \u202eroot\x1b[0m'
    async with serve(mill_deployment()) as served:
        served.api.put(CRON_JOBS, CRON_JOB)
        served.api.add_fault("create", JOBS, error=ApiError(status, "Denied", words))
        answer = await served.http.post("/v1/tasks/spawn", json={"task": "migrate"})
        assert answer.status_code == answered
        assert answer.json()["error"] == (
            'refused by the cluster: admission webhook "policy.example" denied the request: no root'
        )


async def test_a_spawn_without_waiting_is_answered_at_once(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        served.api.put(CRON_JOBS, CRON_JOB)
        answer = await served.http.post("/v1/tasks/spawn", json={"task": "migrate", "wait": False})
        assert (answer.status_code, answer.json()["status"], answer.json()["node"]) == (200, "starting", "")
        assert [each["metadata"]["name"] for each in served.api.all(JOBS)] == [answer.json()["id"]]


FILE = """
service "db" {
  image = "postgres:17"
  port  = 5432
}

task "migrate" {
  image   = "registry.example/web:3"
  timeout = "10m"
  env     = { URL = "postgres://${secret(db.user)}@${service.db.address}/app", STEPS = "all" }
}
"""


async def test_a_task_of_a_file_runs_with_its_image_and_its_references(serve: Serve) -> None:
    async with serve(mill_deployment({"name": "db", "image": "postgres:16", "port": 1}, namespace="shop")) as served:
        served.api.put(CRON_JOBS, CRON_JOB)
        _on_run(served, lambda run: pod("migrate", kind="task", run=run, namespace="shop", ready=False))
        answer = await served.http.post(
            "/v1/tasks/spawn?namespace=shop", json={"file": {"task": "migrate", "text": FILE}, "env": {"STEPS": "1"}}
        )
        assert answer.status_code == 200, answer.text
        (made,) = served.api.requests  # nothing else of the file is applied
        body = made.body
        assert body["metadata"]["ownerReferences"][0]["kind"] == "MillDeployment"
        assert body["metadata"]["labels"] == labels("migrate", "task") | {"app.kubernetes.io/part-of": "mill"}
        assert body["spec"]["activeDeadlineSeconds"] == 600
        (container,) = body["spec"]["template"]["spec"]["containers"]
        assert (container["name"], container["image"]) == ("migrate", "registry.example/web:3")
        secret = {"secretKeyRef": {"name": "mill-secrets", "key": "db.user"}}
        assert container["env"] == [
            {"name": "MILL_SECRET_1", "valueFrom": secret},
            {"name": "URL", "value": "postgres://$(MILL_SECRET_1)@db.shop.svc:5432/app"},
            {"name": "STEPS", "value": "1"},
        ]


async def test_a_task_of_a_file_runs_before_the_first_deploy(serve: Serve) -> None:
    async with serve() as served:
        _on_run(served, lambda run: pod("migrate", kind="task", run=run, ready=False))
        answer = await served.http.post("/v1/tasks/spawn", json={"file": {"task": "migrate", "text": FILE}})
        assert answer.status_code == 200, answer.text
        assert [(each.verb, each.resource.plural) for each in served.api.requests] == [
            ("create", "milldeployments"),
            ("create", "jobs"),
        ]
        assert served.api.requests[0].body["spec"] == {}


@pytest.mark.parametrize(
    ("file", "status", "code", "error"),
    [
        ({"task": "seed", "text": FILE}, 404, "task_not_found", "the file has no task seed; it has migrate"),
        ({"task": "db", "text": ""}, 404, "task_not_found", "the file has no task db, and no other"),
        (
            {"task": "migrate", "text": FILE.replace("service.db", "service.cache")},
            400,
            "invalid_mill_file",
            "unknown service reference 'cache'",
        ),
        ({"task": "migrate", "text": 'task "migrate" {'}, 400, "invalid_mill_file", "invalid config: "),
        ({"task": "migrate"}, 422, "invalid_body", "body.file.text: "),
    ],
)
async def test_a_file_is_checked_as_for_a_deploy(
    serve: Serve, file: dict[str, str], status: int, code: str, error: str
) -> None:
    async with serve() as served:
        answer = await served.http.post("/v1/tasks/spawn", json={"file": file})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert error in answer.json()["error"]
        assert ("diagnostics" in answer.json()) is (code == "invalid_mill_file")
        assert served.api.requests == []


async def test_nulls_mean_defaults(serve: Serve) -> None:
    async with serve(mill_deployment()) as served:
        _on_run(served, lambda run: pod(_task_of(run), kind="task", run=run, ready=False))
        answer = await served.http.post("/v1/tasks/spawn", json={"image": "busybox:1", "cpu": None, "memory": None})
        assert answer.status_code == 200, answer.text
        (container,) = served.api.requests[-1].body["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["requests"] == {"cpu": "250m", "memory": "256M"}


async def test_an_image_runs_in_a_namespace_without_deployments(serve: Serve) -> None:
    async with serve() as served:
        _on_run(served, lambda run: pod(_task_of(run), kind="task", run=run, ready=False))
        answer = await served.http.post("/v1/tasks/spawn", json={"image": "busybox:1"})
        assert (answer.status_code, answer.json()["status"]) == (200, "running")
        made, run = served.api.requests
        assert made.body["spec"] == {}
        (deployment,) = served.api.all(MILL_DEPLOYMENTS)
        assert run.body["metadata"]["ownerReferences"][0]["uid"] == deployment["metadata"]["uid"]


async def test_a_concurrent_deploy_is_not_overwritten_by_a_run(serve: Serve) -> None:
    async with serve() as served:
        meanwhile = mill_deployment({"name": "web", "image": "web:1"})
        served.api.put(MILL_DEPLOYMENTS, meanwhile)
        _on_run(served, lambda run: pod(_task_of(run), kind="task", run=run, ready=False))
        answer = await served.http.post("/v1/tasks/spawn", json={"image": "busybox:1"})
        assert answer.status_code == 200, answer.text
        assert [(each.verb, each.resource.plural) for each in served.api.requests] == [
            ("create", "milldeployments"),
            ("get", "milldeployments"),
            ("create", "jobs"),
        ]
        assert served.api.requests[-1].body["metadata"]["ownerReferences"][0]["uid"] == "0123456789abcdef"
        assert [each["spec"] for each in served.api.all(MILL_DEPLOYMENTS)] == [meanwhile["spec"]]


async def test_a_terminating_deployment_gets_no_run(serve: Serve) -> None:
    going = mill_deployment()
    going["metadata"]["deletionTimestamp"] = "2026-02-14T10:00:00Z"
    async with serve(going) as served:
        answer = await served.http.post("/v1/tasks/spawn", json={"image": "busybox:1"})
        assert (answer.status_code, "being deleted" in answer.json()["error"]) == (409, True)
        assert served.api.requests == []


async def test_a_spawn_without_the_right_to_create_creates_no_deployment(serve: Serve) -> None:
    async with serve(settings=Settings(kubernetes_tokens=True)) as served:
        served.api.accounts.tokens["good-token"] = Token({"username": "bot"})
        served.api.accounts.is_allowed = lambda spec: spec["resourceAttributes"]["resource"] == "jobs"
        served.http.headers["Authorization"] = "Bearer good-token"
        refused = await served.http.post("/v1/tasks/spawn", json={"image": "busybox:1"})
        assert (refused.status_code, refused.json()["error"]) == (
            403,
            "bot may not create milldeployments.mill.dev mill in namespace default",
        )
        assert {each.resource.plural for each in served.api.requests} == {"tokenreviews", "subjectaccessreviews"}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "must specify exactly one of 'task' or 'image'"),
        ({"task": "a", "image": "b"}, 400, "must specify exactly one of 'task' or 'image'"),
        ({"task": "a", "file": {"task": "a", "text": ""}}, 400, "must specify exactly one of 'task' or 'image'"),
        ({"task": "a", "wait": "no"}, 422, "body.wait: "),
        ({"task": "a", "template": "a"}, 422, "duplicate field `task`"),
        ({"task": "a", "env": None}, 422, "body.env: "),
        ({"task": "a", "env": {"A": 1}, "memory": 5}, 422, "body.memory: "),
        ({"task": "nope"}, 404, "task template not found"),
        ({"task": "../secrets"}, 404, "task template not found"),
        ({"image": "busybox", "memory": "lots", "timeout": "soon"}, 400, "timeout: invalid duration 'soon'"),
    ],
)
async def test_a_spawn_that_is_refused(serve: Serve, body: dict[str, Any], status: int, error: str) -> None:
    async with serve(mill_deployment()) as served:
        answer = await served.http.post("/v1/tasks/spawn", json=body)
        assert (answer.status_code, error in answer.json()["error"]) == (status, True), answer.text
        assert [each for each in served.api.requests if each.verb == "create"] == []


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"content": '{"task": "a"}', "headers": {"Content-Type": "text/plain"}}, 415, "application/json"),
        ({"content": '{"task": "a"}'}, 415, "application/json"),
        ({"content": "{", "headers": {"Content-Type": "application/json"}}, 400, "failed to parse the request body"),
        (
            {"content": r'{"task": "a", "env": {"A": "\ud800"}}', "headers": {"Content-Type": "application/json"}},
            422,
            "body.env.A: should be text: it has half of a surrogate pair",
        ),
        ({"json": []}, 422, "failed to deserialize the JSON body"),
    ],
)
async def test_invalid_bodies_are_refused(serve: Serve, sent: dict[str, Any], status: int, error: str) -> None:
    async with serve() as served:
        answer = await served.http.post("/v1/tasks/spawn", **sent)
        assert (answer.status_code, error in answer.json()["error"]) == (status, True), answer.text


async def test_a_program_runs_in_the_place_of_a_service(serve: Serve) -> None:
    volumes = [{"name": "data", "path": "/data", "size": "1Gi"}]
    web = {"name": "web", "image": "web:2", "port": 80, "volumes": volumes}
    async with serve(mill_deployment(web, namespace="shop"), pod("web", namespace="shop")) as served:
        _on_run(served, lambda run: pod("web-run", namespace="shop", kind="task", run=run))
        answer = await served.http.post(
            "/v1/tasks/spawn?namespace=shop", json={"service": "web", "command": ["rake", "db:seed"]}
        )
        assert answer.status_code == 200, answer.text
        assert (answer.json()["name"], answer.json()["status"]) == ("web-run", "running")
        (made,) = served.api.all(JOBS)
        spec = made["spec"]["template"]["spec"]
        assert (spec["containers"][0]["image"], spec["containers"][0]["command"]) == ("web:2", ["rake", "db:seed"])
        assert "podAffinity" in spec["affinity"]


async def test_a_run_of_a_service_that_has_no_pod_may_run_on_any_node(serve: Serve) -> None:
    web = {"name": "web", "image": "web:2", "volumes": [{"name": "data", "path": "/data", "size": "1Gi"}]}
    async with serve(mill_deployment(web)) as served:
        body = {"service": "web", "command": ["true"], "wait": False}
        assert (await served.http.post("/v1/tasks/spawn", json=body)).status_code == 200
        (made,) = served.api.all(JOBS)
        assert "affinity" not in made["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"service": "api", "command": ["true"]}, 404, "service_not_found"),
        ({"service": "web"}, 400, "invalid_run"),
        ({"service": "web", "command": []}, 400, "invalid_run"),
        ({"service": "web", "image": "web:1", "command": ["true"]}, 400, "invalid_run"),
    ],
)
async def test_a_run_of_a_service_is_refused(serve: Serve, body: dict[str, Any], status: int, code: str) -> None:
    async with serve(mill_deployment({"name": "web", "image": "web:2"})) as served:
        answer = await served.http.post("/v1/tasks/spawn", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert served.api.all(JOBS) == []
