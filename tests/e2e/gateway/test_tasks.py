"""Runs of tasks over HTTP, on the real cluster: spawned, ended, and what is said when they cannot begin."""

import json
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.seed import NODE

TASKS = """
task "migrate" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-port", "8080"]
  env { GREETING = "hello" }
}

task "broken" {
  image = "REGISTRY/web:missing"
  cpu   = 0.02
}
"""


@pytest.fixture
def tasks(namespace: Namespace, http: httpx.Client) -> Namespace:
    """A namespace with these tasks."""
    deployed = http.post(
        "/v1/deploy", params={"namespace": namespace.name}, content=TASKS.replace("REGISTRY", namespace.registry)
    )
    assert '"success": true' in deployed.text
    return namespace


def _spawn(http: httpx.Client, namespace: Namespace, **wanted: Any) -> httpx.Response:
    return http.post("/v1/tasks/spawn", params={"namespace": namespace.name}, json=wanted)


def _runs(http: httpx.Client, namespace: Namespace) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in http.get("/v1/tasks", params={"namespace": namespace.name}).json()}


def test_a_run_begins_is_told_of_and_is_ended(tasks: Namespace, http: httpx.Client) -> None:
    spawned = _spawn(http, tasks, task="migrate", env={"GREETING": "$(HOME) ${x}", "MORE": "1"}, timeout="30m")
    assert spawned.status_code == 200, spawned.text
    run = spawned.json()["id"]
    assert (spawned.json()["node"], spawned.json()["status"]) == (NODE, "running")
    shown = _runs(http, tasks)[run]
    assert (shown["name"], shown["status"], shown["cpu"], shown["node"]) == ("migrate", "running", 0.02, NODE)

    made = tasks.get("job", run)
    assert made["spec"]["activeDeadlineSeconds"] == 1800
    (pod,) = tasks.items("pods", "-l", f"batch.kubernetes.io/job-name={run}")
    values = {each["name"]: each["value"] for each in pod["spec"]["containers"][0]["env"]}
    assert values == {"GREETING": "$$(HOME) $${x}", "MORE": "1"}

    wait_for("the run in the status", lambda: run in json.dumps(tasks.status()))
    where = {"namespace": tasks.name}
    assert http.delete(f"/v1/tasks/{run}", params=where).status_code == 204
    wait_for("its end", lambda: tasks.get("job", run) == {})
    assert http.get(f"/v1/tasks/{run}", params=where).status_code == 200  # though its program may still be ending
    assert http.delete(f"/v1/tasks/{run}", params=where).status_code == 204
    wait_for("the operator to tell of it", lambda: _runs(http, tasks).get(run, {}).get("status") == "stopped")
    assert http.delete(f"/v1/tasks/{run}", params=where).status_code == 204
    assert http.delete("/v1/tasks/nope", params=where).status_code == 404


def test_what_cannot_begin_is_said_in_plain_words_and_does_not_begin_later(
    tasks: Namespace, http: httpx.Client
) -> None:
    failed = _spawn(http, tasks, task="broken")
    assert (failed.status_code, failed.json()["error"]) == (500, "image pull failed: tag not found")
    assert failed.json()["reason"] == "TagNotFound"
    wait_for("the run to go", lambda: tasks.items("jobs") == [])


def test_a_program_that_is_not_in_its_image_has_not_run(namespace: Namespace, http: httpx.Client) -> None:
    failed = _spawn(http, namespace, image=f"{namespace.registry}/web:1", cpu=0.02, command=["/nope"])
    assert (failed.status_code, failed.json()["error"]) == (500, "container start failed: command not found")


def test_where_no_node_has_room_it_is_said(namespace: Namespace, http: httpx.Client) -> None:
    refused = _spawn(http, namespace, image=f"{namespace.registry}/web:1", cpu=10000)
    assert (refused.status_code, refused.json()["error"]) == (503, "no node with sufficient resources")
    assert "nodes are available" in refused.json()["detail"]


def test_an_image_is_run_where_nothing_is_deployed(namespace: Namespace, http: httpx.Client) -> None:
    spawned = _spawn(http, namespace, image=f"{namespace.registry}/web:1", cpu=0.02, memory="32M")
    assert spawned.status_code == 200, spawned.text
    run = spawned.json()["id"]
    wait_for("the operator to know it", lambda: namespace.status().get("activeRuns") == 1)
    assert _runs(http, namespace)[run]["status"] == "running"
    assert namespace.get("job", run)["metadata"]["ownerReferences"][0]["kind"] == "MillDeployment"
