"""Each account can do exactly what its rights allow, also when objects or rights change during a request."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from mill_kube.errors import ApiError
from mill_kube.resources import CRON_JOBS, MILL_DEPLOYMENTS, SECRETS
from tests.support.apiserver import ContainerLog
from tests.support.gateway.objects import cron_job, job, mill_deployment, node, pod
from tests.support.gateway.operator import finish_rollouts
from tests.support.gateway.served import Serve, Served

from .cluster import KUBERNETES, Right, asked, done, grant

FILE = 'service "web" {\n  image = "web:2"\n  port  = 8080\n}\n'
WEB = {"name": "web", "image": "web:1", "port": 8080}
ROLLOUT = {"startedAt": "2026-01-01T00:00:00.000Z", "finishedAt": "2026-01-01T00:00:01.000Z", "success": False}
STATUS = {
    "observedGeneration": 1,
    "rollout": {"id": "1", **ROLLOUT},
    "services": [
        {
            "name": "web",
            "state": "Failed",
            "reason": "ContainerExited",
            "message": "container exited with code 1",
            "evidence": "the program's last words",
            "transitions": [
                {
                    "seq": 1,
                    "at": "2026-01-01T00:00:01.000Z",
                    "phase": "failed",
                    "code": "ContainerExited",
                    "message": "x",
                }
            ],
        }
    ],
}
THERE = mill_deployment(WEB, status=STATUS)
MILL = "milldeployments"
NONE: tuple[Right, ...] = ()
CREATE: tuple[Right, ...] = (("create", MILL),)
PATCH: tuple[Right, ...] = (("patch", MILL),)
GET: tuple[Right, ...] = (("get", MILL), ("list", MILL))
LOG_OF_ONE: tuple[Right, ...] = (("get", "pods/log", "web-0"),)
ACCOUNTS = {"none": NONE, "create": CREATE, "patch": PATCH, "get": GET, "log of one": LOG_OF_ONE}


def _prepare(served: Served) -> None:
    """Store a task in the API server, and let every rollout finish at once."""
    served.api.put(CRON_JOBS, cron_job("migrate"))
    finish_rollouts(served, STATUS)


async def _status(served: Served, account: tuple[Right, ...], method: str, path: str, **sent: Any) -> int:
    grant(served, *account)
    served.api.requests.clear()
    answer = await served.http.request(method, path, **sent)
    if answer.status_code == 403:
        assert not [each for each in done(served) if not each.startswith("get ")], "refused, and yet something is done"
    return answer.status_code


@pytest.mark.parametrize(
    ("there", "path", "allowed"),
    [
        (False, "/v1/deploy", ["create"]),
        (True, "/v1/deploy", ["patch"]),
        (False, "/v1/deploy?detail=full", []),
        (True, "/v1/deploy?detail=full", []),
        (True, "/v1/deploy?dryRun=true", []),
        (True, "/v1/restart/web", ["patch"]),
        (True, "/v1/restart/web?detail=full", []),
    ],
)
async def test_a_write_needs_its_right(serve: Serve, there: bool, path: str, allowed: list[str]) -> None:
    async with serve(*([THERE] if there else []), settings=KUBERNETES) as served:
        _prepare(served)
        for name, account in ACCOUNTS.items():
            if not there:
                served.lose("MillDeployment", "default", "mill")
            status = await _status(served, account, "POST", path, content=FILE)
            assert status == (200 if name in allowed else 403), name
        if not there:
            served.lose("MillDeployment", "default", "mill")
        assert await _status(served, (*CREATE, *PATCH, *GET), "POST", path, content=FILE) == 200


async def test_a_deploy_without_the_right_to_get_hides_details(serve: Serve) -> None:
    """The caller gets the phases and reasons of their own deploy, as in the original; evidence needs the right."""
    async with serve(THERE, settings=KUBERNETES) as served:
        _prepare(served)
        grant(served, *PATCH)
        told = (await served.http.post("/v1/deploy", content=FILE)).text
        assert ("event: failed" in told, "event: done" in told) == (True, True)
        assert "last words" not in told
        refused = await served.http.get("/v1/deployments/mill/events")
        assert refused.status_code == 403
        grant(served, *PATCH, *GET)
        assert "last words" in (await served.http.post("/v1/deploy?detail=full", content=FILE)).text


async def _meanwhile(what: Callable[[], None]) -> AsyncIterator[bytes]:
    """Yield a body; something happens after its first byte."""
    yield FILE[:1].encode()
    what()
    yield FILE[1:].encode()


async def test_a_right_to_create_does_not_overwrite_an_object_created_meanwhile(serve: Serve) -> None:
    async with serve(settings=KUBERNETES) as served:
        _prepare(served)
        grant(served, *CREATE)
        answer = await served.http.post("/v1/deploy", content=_meanwhile(lambda: served.have(THERE)))
        assert (answer.status_code, "may not patch" in answer.json()["error"]) == (403, True)
        assert done(served) == []


async def test_a_right_to_patch_does_not_create_an_object_deleted_meanwhile(serve: Serve) -> None:
    async with serve(THERE, settings=KUBERNETES) as served:
        _prepare(served)
        grant(served, *PATCH)
        gone = _meanwhile(lambda: served.lose("MillDeployment", "default", "mill"))
        answer = await served.http.post("/v1/deploy", content=gone)
        assert (answer.status_code, "may not create" in answer.json()["error"]) == (403, True)
        assert done(served) == []


async def test_a_right_revoked_while_the_body_arrives_is_lost(serve: Serve) -> None:
    async with serve(THERE, settings=KUBERNETES) as served:
        _prepare(served)
        for method, path, body in (
            ("POST", "/v1/deploy", FILE),
            ("PUT", "/v1/secrets/a", '{"value": "x"}'),
            ("POST", "/v1/tasks/spawn", '{"image": "busybox"}'),
        ):
            grant(served, *PATCH, ("patch", "secrets"), ("create", "jobs"))

            async def sent(text: str = body) -> AsyncIterator[bytes]:
                yield text[:1].encode()
                grant(served)
                yield text[1:].encode()

            headers = {"Content-Type": "application/json"}
            answer = await served.http.request(method, path, content=sent(), headers=headers)
            assert answer.status_code == 403, path
        assert done(served) == []


@pytest.mark.parametrize("query", ["", "?dryRun=true"])
async def test_a_right_to_create_does_not_patch_after_a_conflict(serve: Serve, query: str) -> None:
    async with serve(settings=KUBERNETES) as served:
        _prepare(served)
        served.api.put(MILL_DEPLOYMENTS, THERE)
        grant(served, *CREATE, *GET)
        answer = await served.http.post(f"/v1/deploy{query}", content=FILE)
        assert (answer.status_code, "may not patch" in answer.json()["error"]) == (403, True)
        assert done(served) == [f"create {MILL}", f"get {MILL}"]


async def test_a_right_to_patch_does_not_create_after_a_conflict(serve: Serve) -> None:
    async with serve(THERE, settings=KUBERNETES) as served:
        _prepare(served)
        served.api.remove(MILL_DEPLOYMENTS, "default", "mill")
        grant(served, *PATCH)
        answer = await served.http.post("/v1/deploy", content=FILE)
        assert (answer.status_code, "may not create" in answer.json()["error"]) == (403, True)
        assert done(served) == [f"patch {MILL}", f"get {MILL}"]


@pytest.mark.parametrize(
    ("there", "rights", "status"),
    [
        (True, (("patch", "secrets"),), 204),
        (True, (("create", "secrets"),), 403),
        (False, (("patch", "secrets"),), 403),
        (False, (("patch", "secrets"), ("create", "secrets")), 204),
        (False, (("patch", "secrets", "mill-secrets"), ("create", "secrets", "mill-secrets")), 204),
        (False, (("patch", "secrets", "other"), ("create", "secrets")), 403),
    ],
)
async def test_setting_a_secret_needs_its_right(
    serve: Serve, there: bool, rights: tuple[Right, ...], status: int
) -> None:
    async with serve(settings=KUBERNETES) as served:
        _prepare(served)
        if there:
            served.api.put(SECRETS, {"metadata": {"name": "mill-secrets", "namespace": "default"}})
        grant(served, *rights)
        answer = await served.http.put("/v1/secrets/a", json={"value": "x"})
        assert answer.status_code == status
        assert ("create secrets" in done(served)) is (not there and status == 204)


async def test_no_deployment_is_created_without_the_right_when_one_disappears(serve: Serve) -> None:
    """It exists when the request comes, and no longer when the run is created."""
    async with serve(mill_deployment(), settings=KUBERNETES) as served:
        _prepare(served)
        grant(served, ("create", "jobs"))

        async def body() -> AsyncIterator[bytes]:
            yield b'{"image": '
            served.lose("MillDeployment", "default", "mill")
            yield b'"busybox"}'

        headers = {"Content-Type": "application/json"}
        answer = await served.http.post("/v1/tasks/spawn", content=body(), headers=headers)
        assert (answer.status_code, "may not create milldeployments" in answer.json()["error"]) == (403, True)
        assert done(served) == []


RUN = job("migrate-1", "migrate")
POD_OF_RUN = pod("migrate", "1-x", kind="task", run="migrate-1")


def _named(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "name": name, "uid": f"decoy-{name}"}}


@pytest.mark.parametrize(
    ("name", "right", "status"),
    [
        ("web-0", ("get", "pods/log", "web-0"), 200),
        ("web-0", ("get", "pods/log"), 200),
        ("web-0", ("get", "pods/log", "other"), 403),
        # Of a run, a service and a task all pods are read, also those that do not exist yet.
        ("web", ("get", "pods/log", "web"), 403),
        ("web", ("get", "pods/log"), 200),
        ("migrate-1", ("get", "pods/log", "migrate-1"), 403),
        ("migrate-1", ("get", "pods/log", "migrate-1-x"), 403),
        ("migrate-1", ("get", "pods/log"), 200),
        ("nothing", ("get", "pods/log", "nothing"), 403),
    ],
)
async def test_reading_a_log_needs_its_right(serve: Serve, name: str, right: Right, status: int) -> None:
    """So it does beside a pod that has the name of a run, so that the right to that pod would be enough."""
    decoy = _named("migrate-1", pod("other", kind="task", run="other-1"))
    objects = (mill_deployment(WEB), pod("web"), RUN, POD_OF_RUN, decoy)
    async with serve(*objects, settings=KUBERNETES) as served:
        log = ContainerLog([b"2026-02-14T10:00:01Z confidential\n"], has_ended=True)
        served.api.logs |= {("default", each): log.read for each in ("web-0", "migrate-1-x", "migrate-1")}
        grant(served, right)
        answer = await served.http.get(f"/v1/logs/{name}?follow=false")
        assert answer.status_code == status
        assert ("confidential" in answer.text) is (status == 200)
        if status == 200:
            assert '"alloc":"migrate-1"' not in answer.text
        assert len(asked(served)) == 1


FOREIGN: dict[str, dict[str, Any]] = {
    "without our label": cron_job("migrate"),
    "without an owner": cron_job("migrate"),
    "of another owner": cron_job("migrate"),
    "not controlled": cron_job("migrate"),
    "of a deployment that is gone": cron_job("migrate", deployment="gone"),
    "of a deployment of before": cron_job("migrate"),
}
FOREIGN["without our label"]["metadata"]["labels"] = {}
FOREIGN["without an owner"]["metadata"]["ownerReferences"] = []
FOREIGN["of another owner"]["metadata"]["ownerReferences"][0] |= {"kind": "Backup", "apiVersion": "backup/v1"}
FOREIGN["not controlled"]["metadata"]["ownerReferences"][0] |= {"controller": False}
FOREIGN["of a deployment of before"]["metadata"]["ownerReferences"][0] |= {"uid": "another"}


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_a_foreign_cron_job_is_never_run(serve: Serve, foreign: str) -> None:
    async with serve(THERE) as served:  # for any caller: the gateway's own token may do all of it
        served.api.put(CRON_JOBS, FOREIGN[foreign])
        body = {"task": "migrate", "env": {"LD_PRELOAD": "/tmp/x.so"}}
        answer = await served.http.post("/v1/tasks/spawn", json=body)
        assert (answer.status_code, answer.json()["error"]) == (404, "task template not found")
        assert "create jobs" not in done(served)


async def test_a_task_of_a_deployment_that_is_not_cached_yet_is_run(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mill_gateway.services.spawns.WAIT_SECONDS", 0.01)
    async with serve() as served:
        _prepare(served)
        served.api.put(MILL_DEPLOYMENTS, THERE)
        answer = await served.http.post("/v1/tasks/spawn", json={"task": "migrate"})
        assert answer.status_code == 200
        assert done(served) == ["get cronjobs", f"get {MILL}", "create jobs"]


async def test_a_drain_stops_when_its_caller_loses_the_right(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mill_gateway.services.drains.AGAIN_SECONDS", 0.01)
    rights = (("patch", "nodes"), ("create", "pods/eviction"))
    async with serve(node(), pod("web"), settings=KUBERNETES) as served:
        refusal = ApiError(429, "TooManyRequests", "a budget")
        served.api.add_fault("evict", error=refusal, meanwhile=lambda _: grant(served, rights[0]))
        grant(served, *rights)
        told = (await served.http.post("/v1/nodes/node-1/drain")).text
        assert len(served.api.sent("evict")) == 1
        assert "not evicted: system:serviceaccount:shop:bot may not create pods/eviction" in told
        assert '"success": false' in told
