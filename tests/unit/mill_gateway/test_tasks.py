"""Runs of tasks over HTTP: listed, shown, stopped."""

from typing import Any

import pytest

from mill_kube.resources import JOBS
from tests.support.gateway.objects import job, mill_deployment, pod, with_run
from tests.support.gateway.served import Serve

RUNS = {
    "tasks": [
        {
            "name": "migrate",
            "runs": [
                {"name": "migrate-1", "state": "Running", "node": "node-1", "createdAt": "2026-02-14T10:00:00Z"},
                {
                    "name": "migrate-0",
                    "state": "Failed",
                    "node": "node-2",
                    "createdAt": "2026-02-14T09:00:00Z",
                    "reason": "ContainerExited",
                    "message": "container exited with code 3",
                    "exitCode": 3,
                    "finishedAt": "2026-02-14T09:00:09Z",
                },
            ],
        }
    ]
}
HOMELESS: dict[str, Any] = {"ready": False, "node": None, "phase": "Pending", "state": {"waiting": {}}}


async def test_runs_have_the_shape_of_the_original_and_more(serve: Serve) -> None:
    objects = (mill_deployment(status=RUNS), job("migrate-1", "migrate"), pod("migrate", kind="task", run="migrate-1"))
    async with serve(*objects) as served:
        gone, running = (await served.http.get("/v1/tasks")).json()
        assert (await served.http.get("/v1/tasks/migrate-1")).json() == running
        assert (await served.http.get("/v1/tasks?name=other")).json()["code"] == "deployment_not_found"
        assert served.api.requests == []
    assert running == {
        "id": "migrate-1",
        "name": "migrate",
        "node": "node-1",
        "status": "running",
        "address": None,
        "cpu": 0.25,
        "memory": 256000000,
        "namespace": "default",
        "deployment": "mill",
        "state": "Running",
        "reason": None,
        "message": None,
        "detail": None,
        "suggestion": None,
        "exit_code": None,
        "created_at": "2026-02-14T10:00:00Z",
        "started_at": "2026-02-14T10:00:01Z",
        "finished_at": None,
    }
    assert (gone["id"], gone["status"], gone["exit_code"], gone["node"]) == ("migrate-0", "failed", 3, "node-2")
    assert gone["state"] == "Failed"


NEVER = {"reason": "TagNotFound", "message": "image pull failed: tag not found"}
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


@pytest.mark.parametrize(
    ("run", "has_job", "status", "state"),
    [
        ({"state": "Succeeded", "startedAt": "2026-02-14T10:00:01Z"}, True, "stopped", "Succeeded"),
        ({"state": "Succeeded", "startedAt": "2026-02-14T10:00:01Z"}, False, "stopped", "Succeeded"),
        ({"state": "Stopped", "startedAt": "2026-02-14T10:00:01Z"}, False, "stopped", "Stopped"),
        ({"state": "Stopped"}, False, "stopped", "Stopped"),
        ({"state": "Stopped", **NEVER}, False, "stopped", "Failed"),
        ({"state": "Stopped", "startedAt": "2026-02-14T10:00:01Z", **NEVER}, False, "stopped", "Stopped"),
        ({"state": "Failed", **NEVER}, True, "failed", "Failed"),
        ({"state": "Pending", **NEVER}, True, "starting", "Pending"),
        ({"state": "Running"}, False, "stopped", "Stopped"),
    ],
    ids=[
        "success",
        "success without its Job",
        "stopped",
        "stopped before its start",
        "deleted since it could not start",
        "stopped while something was wrong",
        "cannot start",
        "waits",
        "its pod is gone",
    ],
)
async def test_a_client_of_the_original_reads_status_and_others_the_state(
    serve: Serve, run: dict[str, Any], has_job: bool, status: str, state: str
) -> None:
    async with serve(with_run("migrate-1", **run), *([job("migrate-1", "migrate")] if has_job else [])) as served:
        shown = (await served.http.get("/v1/tasks/migrate-1")).json()
        assert (shown["status"], shown["state"]) == (status, state)
        assert (await served.http.get("/v1/tasks")).json() == [shown]


@pytest.mark.parametrize(
    ("status", "made", "shown", "state"),
    [
        ({}, pod("t", kind="task", run="t-1", ready=False), "running", "Running"),
        ({}, pod("t", kind="task", run="t-1", **HOMELESS), "starting", "Pending"),
        ({}, pod("t", kind="task", run="t-1", phase="Succeeded"), "stopped", "Succeeded"),
        ({}, pod("t", kind="task", run="t-1", ready=False, phase="Failed"), "failed", "Failed"),
        (COMPLETE, None, "stopped", "Succeeded"),
        ({"conditions": [{"type": "Failed", "status": "True"}]}, None, "failed", "Failed"),
        ({}, None, "starting", "Pending"),
    ],
)
async def test_states_of_runs_without_the_operator(
    serve: Serve, status: dict[str, Any], made: dict[str, Any] | None, shown: str, state: str
) -> None:
    async with serve(job("t-1", "t", status=status), *([made] if made else [])) as served:
        run = (await served.http.get("/v1/tasks/t-1")).json()
        assert (run["status"], run["state"]) == (shown, state)


@pytest.mark.parametrize(
    ("state", "made", "shown"),
    [
        ("Running", pod("migrate", kind="task", run="migrate-1"), "running"),  # the cache of Jobs is behind
        ("Running", pod("migrate", kind="task", run="migrate-1", deletionTimestamp="t"), "stopped"),
        ("Running", pod("migrate", kind="task", run="migrate-2"), "stopped"),
        ("Pending", None, "starting"),
        ("Stopped", None, "stopped"),
    ],
)
async def test_a_finished_run_is_shown_and_not_stopped(
    serve: Serve, state: str, made: dict[str, Any] | None, shown: str
) -> None:
    async with serve(with_run("migrate-1", state=state), *([made] if made else [])) as served:
        assert (await served.http.get("/v1/tasks/migrate-1")).json()["status"] == shown
        assert (await served.http.delete("/v1/tasks/migrate-1")).status_code == 204
        assert served.api.requests == []


async def test_the_last_pod_of_a_run_counts(serve: Serve) -> None:
    first = pod("migrate", "0", kind="task", run="migrate-1", deletionTimestamp="t")
    second = pod("migrate", "1", kind="task", run="migrate-1", creationTimestamp="2026-02-14T10:00:01Z")
    async with serve(job("migrate-1", "migrate"), second, first) as served:
        assert (await served.http.get("/v1/tasks/migrate-1")).json()["status"] == "running"


async def test_a_service_is_not_stopped_as_a_run(serve: Serve) -> None:
    async with serve(mill_deployment(), pod("web")) as served:
        missing = await served.http.get("/v1/tasks/web-0")
        assert (missing.status_code, missing.json()["error"]) == (404, "task not found")
        wrong = await served.http.delete("/v1/tasks/web-0")
        assert (wrong.status_code, wrong.json()["error"]) == (400, "allocation is not a task")
        assert (await served.http.delete("/v1/tasks/nope")).status_code == 404
        assert served.api.requests == []


async def test_a_run_is_stopped_by_its_uid_and_a_finished_one_stays(serve: Serve) -> None:
    over = job("t-2", "t", status={"conditions": [{"type": "Complete", "status": "True"}]})
    async with serve(mill_deployment(status=RUNS), job("t-1", "t"), over) as served:
        for run in ("t-1", "t-2", "migrate-0"):
            assert (await served.http.delete(f"/v1/tasks/{run}")).status_code == 204
        (asked,) = served.api.requests
        assert (asked.name, asked.body) == (
            "t-1",
            {"preconditions": {"uid": "uid-of-default-t-1"}, "propagationPolicy": "Background"},
        )
        assert [each["metadata"]["name"] for each in served.api.all(JOBS)] == ["t-2"]
