"""One reconciliation of one MillDeployment: what it writes, and when."""

from typing import Any

import pytest

from mill_kube.errors import ApiError, Conflict, NotFound
from mill_kube.resources import CRON_JOBS, DEPLOYMENTS, JOBS, MILL_DEPLOYMENTS, PODS, REPLICA_SETS, SERVICES
from mill_objects.json import Json
from tests.support.reconciling import (
    KEY,
    SERVICE,
    UID,
    ReconcilerHarness,
    created_events,
    job_body,
    pod_body,
    replica_set_body,
    resource_body,
)

TERMINATING: dict[str, Any] = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["foregroundDeletion"]}


@pytest.fixture
def harness() -> ReconcilerHarness:
    return ReconcilerHarness()


async def test_pods_of_the_first_rollout_are_not_replaced(harness: ReconcilerHarness) -> None:
    """On a loaded machine the first pods may appear before the reconciliation that created their Deployment ends."""
    harness.pods_fail("ContainerCreating")
    harness.change()
    await harness.reconcile()
    assert ("apply", "Deployment web") in harness.writes
    assert harness.server.sent("delete") == []
    assert harness.service["state"] == "Pulling"


async def test_a_new_request_replaces_the_pods_of_a_service_that_is_not_healthy(harness: ReconcilerHarness) -> None:
    harness.pods_fail("ImagePullBackOff")
    harness.change()
    await harness.reconcile()
    assert harness.service["state"] == "Failed"
    harness.change(annotations={"mill.dev/request": "again"})
    await harness.reconcile()
    assert harness.writes[-1] == ("delete", "Pod web-1")
    assert harness.server.all(PODS) == []
    assert harness.statuses[-1]["rollout"]["id"] == "1-again"
    assert harness.service["state"] == "Pending"


async def test_the_children_of_a_deleted_resource_are_left_to_the_garbage_collector(harness: ReconcilerHarness) -> None:
    await harness.reconcile()
    harness.change(**TERMINATING)
    await harness.reconcile()
    assert harness.server.requests == []


async def test_a_reconciliation_without_a_change_sends_nothing(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    harness.server.requests.clear()
    await harness.reconcile()
    assert harness.server.requests == []


async def test_a_refused_status_write_is_repeated_after_a_second(harness: ReconcilerHarness) -> None:
    harness.change()
    harness.server.add_fault(
        "patch", MILL_DEPLOYMENTS, times=1, error=Conflict(409, "Conflict", "the object has been modified")
    )
    assert await harness.reconcile() == 1.0
    assert harness.statuses == []
    await harness.reconcile()
    assert harness.statuses[-1]["rollout"]["id"] == "1"


async def test_a_pod_that_is_gone_before_its_deletion_is_answered_stays_gone(harness: ReconcilerHarness) -> None:
    labels = {"mill.dev/deployment": "mill", "mill.dev/service": "web"}
    body = harness.server.put(PODS, pod_body({"spec": {"template": {"metadata": {"labels": labels}}}}))
    harness.caches.put_pod(body)
    assert harness.caches._pods.in_group(KEY) == []


async def test_a_restart_changes_the_pod_template(harness: ReconcilerHarness) -> None:
    def template() -> Json:
        metadata: Json = _template_of(harness)["metadata"]
        return metadata

    harness.change()
    await harness.reconcile()
    before = template()
    harness.change(annotations={"mill.dev/request": "r1", "restart.mill.dev/web": "r1"})
    await harness.reconcile()
    assert template()["annotations"] == {"mill.dev/restart": "r1"}
    assert template()["labels"]["mill.dev/template"] != before["labels"]["mill.dev/template"]


# Writes that fail


async def test_the_other_kinds_wait_for_the_deployments_and_are_not_written_if_one_fails(
    harness: ReconcilerHarness,
) -> None:
    harness.server.add_fault("apply", error=ApiError(503, "ServiceUnavailable", "no"), takes_effect=True)
    harness.change()
    with pytest.raises(ApiError, match="no"):
        await harness.reconcile()
    assert harness.writes == [("apply", "Deployment web")]
    assert harness.statuses == []


async def test_a_broken_webhook_is_a_problem_of_that_object_alone(harness: ReconcilerHarness) -> None:
    broken = ApiError(500, "InternalError", 'failed calling webhook "validate.example"')
    harness.server.add_fault("apply", SERVICES, error=broken)
    harness.change()
    await harness.reconcile()
    assert (harness.service["state"], harness.service["reason"]) == ("Suspect", "AdmissionBroken")
    assert harness.server.find(DEPLOYMENTS, "default", "web") is not None


@pytest.mark.parametrize(
    "error",
    [
        ApiError(403, "Forbidden", "no", {"causes": [{"reason": "NamespaceTerminating"}]}),
        NotFound(404, "NotFound", "no", {"kind": "namespaces"}),
    ],
    ids=["terminating", "deleted"],
)
async def test_a_refusal_in_a_namespace_that_is_deleted_is_no_verdict(
    harness: ReconcilerHarness, error: ApiError
) -> None:
    harness.server.add_fault("apply", error=error)
    harness.change()
    await harness.reconcile()
    assert harness.service["state"] == "Pending"


# A Deployment that is missing. The watches of several kinds are not in step: the end of a Deployment may be observed
# before that of the resource which it was deleted with.


async def lose_deployment(harness: ReconcilerHarness) -> None:
    harness.change()
    await harness.reconcile()
    harness.lose(DEPLOYMENTS, "web")
    harness.server.requests.clear()


async def test_a_missing_child_is_not_created_if_its_resource_is_gone(harness: ReconcilerHarness) -> None:
    await lose_deployment(harness)
    harness.server.remove(MILL_DEPLOYMENTS, *KEY)
    await harness.reconcile()
    assert harness.writes == []


@pytest.mark.parametrize("change", [{"uid": "another"}, TERMINATING], ids=["replaced", "terminating"])
async def test_a_missing_child_is_not_created_if_its_resource_is_terminating_or_replaced(
    harness: ReconcilerHarness, change: dict[str, Any]
) -> None:
    await lose_deployment(harness)
    harness.server.put(MILL_DEPLOYMENTS, resource_body(**change))
    await harness.reconcile()
    assert harness.writes == []


async def test_a_child_that_a_user_deleted_is_created_again(harness: ReconcilerHarness) -> None:
    await lose_deployment(harness)
    await harness.reconcile()
    assert harness.writes == [("apply", "Deployment web")]
    assert harness.server.find(DEPLOYMENTS, "default", "web") is not None


# A service with a volume whose new version fails: once the evidence is written, the older version comes back.

DATABASE = {**SERVICE, "volumes": [{"name": "data", "path": "/data", "size": "1Gi"}]}
LABELS = {"mill.dev/deployment": "mill", "mill.dev/service": "web", "mill.dev/template": "good"}
OLDER: Json = {
    "metadata": {"labels": {"mill.dev/template": "good", "pod-template-hash": "abc"}},
    "spec": {"containers": [{"name": "web", "image": "registry.example/web:0"}]},
}
FINISHED = {
    "observedGeneration": 0,
    "rollout": {"id": "0", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"},
    "services": [{"name": "web", "state": "Healthy", "template": "good", "healthyTemplate": "good"}],
}


async def fail_rollout(harness: ReconcilerHarness) -> float | None:
    harness.pods_fail("ErrImagePull")
    harness.observe(MILL_DEPLOYMENTS, {**resource_body({"services": [DATABASE]}), "status": FINISHED})
    wait = await harness.reconcile()
    harness.server.observers.clear()
    return wait


def keep_version(harness: ReconcilerHarness, name: str, template: Json | None, *, owner: str | None = None) -> None:
    """Let the Deployment, or another owner, have a ReplicaSet with the labels of the older version."""
    uid = owner or _deployment(harness)["metadata"]["uid"]
    harness.server.put(REPLICA_SETS, replica_set_body(name, template, uid, **LABELS))


async def test_the_older_template_comes_back_after_the_evidence_is_written(harness: ReconcilerHarness) -> None:
    """However many ReplicaSets of other owners have its labels."""
    wait = await fail_rollout(harness)
    bad = _template_of(harness)["metadata"]["labels"]["mill.dev/template"]
    assert (wait, harness.service["state"], harness.service["failedTemplate"]) == (0, "Failed", bad)
    assert "not found" in harness.service["evidence"]
    foreign = {**OLDER, "spec": {"containers": [{"name": "web", "image": "evil"}]}}
    unowned = replica_set_body("a", foreign, "", **LABELS)
    del unowned["metadata"]["ownerReferences"]
    harness.server.put(REPLICA_SETS, unowned)
    for number in range(25):
        keep_version(harness, f"b-{number:02}", foreign, owner="another-uid")
    keep_version(harness, "c", None)
    keep_version(harness, "d", OLDER)
    await harness.reconcile()
    template = _template_of(harness)
    assert template == {
        "metadata": {"labels": {"mill.dev/template": "good"}, "annotations": {}},
        "spec": OLDER["spec"],
    }
    lists = harness.server.sent("list", REPLICA_SETS)
    assert len(lists) >= 3, "the older version is on the third page"
    selectors = {each.query["labelSelector"] for each in lists}
    assert selectors == {"mill.dev/deployment=mill,mill.dev/service=web,mill.dev/template=good"}
    harness.server.requests.clear()
    await harness.reconcile()
    assert harness.server.requests == []


async def test_an_internal_error_of_the_rollback_changes_no_object(
    harness: ReconcilerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fail_rollout(harness)
    keep_version(harness, "kept", OLDER)
    before = _deployment(harness)
    with monkeypatch.context() as patch:
        patch.setattr("mill_operator.renderer.with_template", lambda *_: 1 / 0)
        await harness.reconcile()
    assert _deployment(harness) == before
    assert harness.service["reason"] == "InternalError"
    await harness.reconcile()
    assert _template_of(harness)["spec"] == OLDER["spec"]


async def test_without_an_older_version_the_failed_one_stays(harness: ReconcilerHarness) -> None:
    await fail_rollout(harness)
    before = _deployment(harness)
    await harness.reconcile()
    assert _deployment(harness) == before
    assert harness.server.sent("list", REPLICA_SETS) != []


# Tasks

TASK = {"name": "migrate", "image": "registry.example/web:1"}


@pytest.fixture
async def running(harness: ReconcilerHarness) -> ReconcilerHarness:
    """Return a harness whose MillDeployment has a task, which runs."""
    harness.change(spec={"services": [SERVICE], "tasks": [TASK]})
    await harness.reconcile()
    cron_job = harness.server.find(CRON_JOBS, "default", "migrate")
    assert cron_job is not None
    harness.observe(JOBS, job_body(cron_job["metadata"]["uid"]))
    await harness.reconcile()
    harness.server.requests.clear()
    return harness


async def test_a_run_changes_the_tasks_of_the_status_and_nothing_of_the_rollout(running: ReconcilerHarness) -> None:
    before = running.statuses[0]
    await running.reconciler.flush()
    after = running.statuses[-1]
    assert [run["state"] for task in after["tasks"] for run in task["runs"]] == ["Pending"]
    assert {**after, "tasks": [], "activeRuns": 0} == before
    assert [each["reason"] for each in created_events(running.server)] == ["RolloutStarted"]


async def test_nothing_is_sent_while_a_run_does_not_change(running: ReconcilerHarness) -> None:
    await running.reconciler.flush()
    running.server.requests.clear()
    await running.reconcile()
    await running.reconciler.flush()
    assert running.server.requests == []


async def test_the_end_of_a_run_is_reported_at_once(running: ReconcilerHarness) -> None:
    job = running.server.find(JOBS, "default", "migrate-1")
    finished = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-01T00:00:09Z"}
    running.observe(JOBS, {**(job or {}), "status": {"conditions": [finished]}})
    await running.reconcile()
    assert running.statuses[-1]["tasks"][0]["runs"][0]["state"] == "Succeeded"
    await running.reconciler.flush()
    assert created_events(running.server)[-1]["message"] == "run migrate-1 of task migrate has succeeded"


async def test_a_run_of_a_removed_task_is_adopted_before_its_cron_job_is_deleted(running: ReconcilerHarness) -> None:
    running.change(spec={"services": [SERVICE]}, generation=2)
    await running.reconcile()
    assert running.writes == [("json_patch", "Job migrate-1"), ("delete", "CronJob migrate")]
    job = running.server.find(JOBS, "default", "migrate-1")
    assert job is not None
    assert [each["kind"] for each in job["metadata"]["ownerReferences"]] == ["CronJob", "MillDeployment"]
    assert job["metadata"]["ownerReferences"][1]["uid"] == UID
    assert running.server.all(CRON_JOBS) == []
    running.forget(CRON_JOBS, "migrate")
    await running.reconcile()
    await running.reconciler.flush()
    assert [run["state"] for run in running.statuses[-1]["tasks"][0]["runs"]] == ["Pending"]


async def test_runs_are_observed_though_the_spec_is_refused(running: ReconcilerHarness) -> None:
    running.change(spec={"services": [{**SERVICE, "env": {"A": "${service.missing.address}"}}]}, generation=2)
    await running.reconcile()
    assert running.writes == []
    assert running.statuses[-1]["rollout"]["refused"]
    assert [run["name"] for run in running.statuses[-1]["tasks"][0]["runs"]] == ["migrate-1"]


async def test_a_job_of_an_older_resource_of_that_name_is_ignored(running: ReconcilerHarness) -> None:
    other = job_body("older")
    other["metadata"] |= {"name": "migrate-0", "ownerReferences": [{"uid": "older"}]}
    running.observe(JOBS, other)
    await running.reconcile()
    await running.reconciler.flush()
    assert [run["name"] for run in running.statuses[-1]["tasks"][0]["runs"]] == ["migrate-1"]


def _deployment(harness: ReconcilerHarness) -> Json:
    found = harness.server.find(DEPLOYMENTS, "default", "web")
    assert found is not None
    return found


def _template_of(harness: ReconcilerHarness) -> Json:
    template: Json = _deployment(harness)["spec"]["template"]
    return template
