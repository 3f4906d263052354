"""One pass over one MillDeployment, against an API server that is played from memory."""

from typing import Any, ClassVar

import pytest

from mill_kube.errors import ApiError, NotFound
from mill_kube.resources import PODS
from mill_objects.key import Key
from mill_operator.reconciler import Reconciler
from tests.support.reconciling import (
    KEY,
    SERVICE,
    RecordingServer,
    job_body,
    pod_body,
    reconciler_of,
    replica_set_body,
    resource_body,
    see_pod,
)


@pytest.fixture
def server() -> RecordingServer:
    return RecordingServer()


@pytest.fixture
def reconciler(server: RecordingServer) -> Reconciler:
    return reconciler_of(server)


async def test_pods_that_the_pass_itself_brought_about_are_not_renewed(
    server: RecordingServer, reconciler: Reconciler
) -> None:
    """A loaded machine may show the first pods before the pass that made their Deployment is over."""

    def applied(body: dict[str, Any]) -> None:
        if body["kind"] == "Deployment":
            see_pod(reconciler, pod_body(body))

    server.on_apply = applied
    reconciler._caches.mill_deployments.put(resource_body())
    await reconciler.reconcile(KEY)
    assert ("apply", "Deployment") in server.calls
    assert [call for call in server.calls if call[0] == "delete"] == []
    assert server.statuses[-1]["services"][0]["state"] == "Pulling"


async def test_asked_again_a_service_that_is_not_healthy_gets_new_pods(
    server: RecordingServer, reconciler: Reconciler
) -> None:
    def applied(body: dict[str, Any]) -> None:
        if body["kind"] == "Deployment":
            see_pod(reconciler, pod_body(body, reason="ImagePullBackOff"))

    server.on_apply = applied
    reconciler._caches.mill_deployments.put(resource_body())
    await reconciler.reconcile(KEY)
    assert server.statuses[-1]["services"][0]["state"] == "Failed"
    reconciler._caches.mill_deployments.put(resource_body(request="again"))
    await reconciler.reconcile(KEY)
    assert server.calls[-1] == ("delete", f"{PODS.kind} web-1")
    assert server.statuses[-1]["rollout"]["id"] == "1-again"
    assert server.statuses[-1]["services"][0]["state"] == "Pending"


async def test_a_resource_that_is_gone_or_going_is_left_to_the_garbage_collector(
    server: RecordingServer, reconciler: Reconciler
) -> None:
    await reconciler.reconcile(KEY)
    body = resource_body()
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    reconciler._caches.mill_deployments.put(body)
    await reconciler.reconcile(KEY)
    assert server.calls == []
    assert server.statuses == []


async def test_a_pass_without_a_change_writes_nothing(server: RecordingServer, reconciler: Reconciler) -> None:
    reconciler._caches.mill_deployments.put(resource_body())
    await reconciler.reconcile(KEY)
    calls, statuses = len(server.calls), len(server.statuses)
    await reconciler.reconcile(KEY)
    assert (len(server.calls), len(server.statuses)) == (calls, statuses)


class TestWrites:
    """A write that fails leaves nothing under way behind it, and none that was never begun."""

    async def test_all_of_a_wave_are_waited_for_when_one_fails(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        def fail(body: dict[str, Any]) -> None:
            raise ApiError(503, "ServiceUnavailable", "no")

        server.on_apply = fail
        reconciler._caches.mill_deployments.put(resource_body())
        with pytest.raises(ApiError, match="no"):
            await reconciler.reconcile(KEY)
        assert server.calls == [("apply", "Deployment")]
        assert server.statuses == []

    async def test_a_broken_webhook_is_a_problem_of_that_object_alone(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        def fail(body: dict[str, Any]) -> None:
            if body["kind"] == "Service":
                raise ApiError(500, "InternalError", 'failed calling webhook "validate.example"')

        server.on_apply = fail
        reconciler._caches.mill_deployments.put(resource_body())
        await reconciler.reconcile(KEY)
        (service,) = server.statuses[-1]["services"]
        assert (service["state"], service["reason"]) == ("Suspect", "AdmissionBroken")
        assert ("apply", "Deployment") in server.calls

    @pytest.mark.parametrize(
        "error",
        [
            ApiError(403, "Forbidden", "no", {"causes": [{"reason": "NamespaceTerminating"}]}),
            NotFound(404, "NotFound", "no", {"kind": "namespaces"}),
        ],
        ids=["going", "gone"],
    )
    async def test_in_a_namespace_that_goes_a_refusal_is_no_verdict(
        self, server: RecordingServer, reconciler: Reconciler, error: ApiError
    ) -> None:
        def refuse_rollout(body: dict[str, Any]) -> None:
            raise error

        server.on_apply = refuse_rollout
        reconciler._caches.mill_deployments.put(resource_body())
        await reconciler.reconcile(KEY)
        assert [each["state"] for each in server.statuses[-1]["services"]] == ["Pending"]


class TestLostChild:
    """The watches are not in step: a Deployment's end may be seen before that of the resource which it went with."""

    async def lose(self, server: RecordingServer, reconciler: Reconciler) -> None:
        resource = resource_body()
        reconciler._caches.mill_deployments.put(resource)
        await reconciler.reconcile(KEY)
        resource["status"] = server.statuses[-1]
        reconciler._caches._children["Deployment"]._drop(Key("default", "web"))
        server.calls.clear()

    async def test_with_its_resource_gone_it_is_not_made_again(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        await self.lose(server, reconciler)
        await reconciler.reconcile(KEY)
        assert server.calls == []

    @pytest.mark.parametrize("change", [{"uid": "another"}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}])
    async def test_nor_with_its_resource_going_or_replaced(
        self, server: RecordingServer, reconciler: Reconciler, change: dict[str, str]
    ) -> None:
        await self.lose(server, reconciler)
        server.resource = resource_body()
        server.resource["metadata"] |= change
        await reconciler.reconcile(KEY)
        assert server.calls == []

    async def test_deleted_by_hand_it_is(self, server: RecordingServer, reconciler: Reconciler) -> None:
        await self.lose(server, reconciler)
        server.resource = resource_body()
        await reconciler.reconcile(KEY)
        assert server.calls == [("apply", "Deployment")]


async def test_a_restart_that_somebody_asks_for_makes_new_pods(server: RecordingServer, reconciler: Reconciler) -> None:
    def template() -> dict[str, Any]:
        return server.applied["Deployment"]["spec"]["template"]["metadata"]

    reconciler._caches.mill_deployments.put(resource_body())
    await reconciler.reconcile(KEY)
    before = template()
    resource = resource_body(request="r1")
    resource["metadata"]["annotations"]["restart.mill.dev/web"] = "r1"
    reconciler._caches.mill_deployments.put(resource)
    await reconciler.reconcile(KEY)
    assert template()["annotations"] == {"mill.dev/restart": "r1"}
    assert template()["labels"]["mill.dev/template"] != before["labels"]["mill.dev/template"]


async def test_a_status_that_others_were_faster_than_is_written_again(
    server: RecordingServer, reconciler: Reconciler
) -> None:
    reconciler._caches.mill_deployments.put(resource_body())
    server.conflicts = 1
    assert await reconciler.reconcile(KEY) == 1.0
    assert server.statuses == []
    await reconciler.reconcile(KEY)
    assert server.statuses[-1]["rollout"]["id"] == "1"


async def test_a_pod_that_is_gone_before_its_deletion_is_answered_stays_gone(
    server: RecordingServer, reconciler: Reconciler
) -> None:
    deployment = {
        "spec": {"template": {"metadata": {"labels": {"mill.dev/deployment": "mill", "mill.dev/service": "web"}}}}
    }
    reconciler._caches.put_pod(pod_body(deployment))
    assert reconciler._caches._pods.in_group(KEY) == []


class TestTakenBack:
    """A service with a volume, whose new version fails: the version before comes back when the evidence is written."""

    DB: ClassVar = {**SERVICE, "name": "web", "volumes": [{"name": "data", "path": "/data", "size": "1Gi"}]}
    KEPT: ClassVar = {
        "metadata": {"labels": {"mill.dev/template": "good", "pod-template-hash": "abc"}},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web:0"}]},
    }

    async def fail(self, server: RecordingServer, reconciler: Reconciler) -> float | None:
        resource = resource_body()
        resource["spec"]["services"] = [self.DB]
        resource["status"] = {
            "observedGeneration": 0,
            "rollout": {"id": "0", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"},
            "services": [{"name": "web", "state": "Healthy", "template": "good", "healthyTemplate": "good"}],
        }
        server.on_apply = lambda body: (
            body["kind"] == "Deployment" and see_pod(reconciler, pod_body(body, reason="ErrImagePull"))
        )
        reconciler._caches.mill_deployments.put(resource)
        return await reconciler.reconcile(KEY)

    async def test_first_the_evidence_is_written_then_the_old_template_comes_back(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        """However many ReplicaSets of others have its labels."""
        foreign = {**self.KEPT, "spec": {"containers": [{"name": "web", "image": "evil"}]}}
        server.replica_sets = [
            {"spec": {"template": foreign}},
            *[replica_set_body(foreign, "another-uid")] * 25,
            replica_set_body(None, "Deployment-uid"),
            replica_set_body(self.KEPT, "Deployment-uid"),
        ]
        wait = await self.fail(server, reconciler)
        bad = server.applied["Deployment"]["spec"]["template"]["metadata"]["labels"]["mill.dev/template"]
        (service,) = server.statuses[-1]["services"]
        assert (wait, service["state"], service["failedTemplate"]) == (0, "Failed", bad)
        assert "not found" in service["evidence"]
        server.on_apply = lambda _body: None
        await reconciler.reconcile(KEY)
        template = server.applied["Deployment"]["spec"]["template"]
        assert template == {
            "metadata": {"labels": {"mill.dev/template": "good"}, "annotations": {}},
            "spec": self.KEPT["spec"],
        }
        assert server.calls[-2][1].endswith("mill.dev/service=web,mill.dev/template=good")
        calls = len(server.calls)
        await reconciler.reconcile(KEY)
        assert len(server.calls) == calls

    async def test_if_the_old_one_cannot_be_put_in_by_a_fault_of_ours_nothing_is_changed(
        self, server: RecordingServer, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.replica_sets = [replica_set_body(self.KEPT, "Deployment-uid")]
        await self.fail(server, reconciler)
        applied = dict(server.applied)
        with monkeypatch.context() as patch:
            patch.setattr("mill_operator.renderer.with_template", lambda *_: 1 / 0)
            await reconciler.reconcile(KEY)
        assert server.applied == applied
        assert server.statuses[-1]["services"][0]["reason"] == "InternalError"
        server.on_apply = lambda _body: None
        await reconciler.reconcile(KEY)
        assert server.applied["Deployment"]["spec"]["template"]["spec"] == self.KEPT["spec"]

    async def test_without_an_old_version_it_stays_and_may_heal(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        await self.fail(server, reconciler)
        before = server.applied["Deployment"]
        await reconciler.reconcile(KEY)
        assert server.applied["Deployment"] is before
        assert [call for call in server.calls if call[0] == "list"] != []


class TestTasks:
    @pytest.fixture
    async def reconciler(self, server: RecordingServer, reconciler: Reconciler) -> Reconciler:
        """One whose MillDeployment has a task, which has been spawned."""
        resource = resource_body()
        resource["spec"]["tasks"] = [{"name": "migrate", "image": "registry.example/web:1"}]
        reconciler._caches.mill_deployments.put(resource)
        await reconciler.reconcile(KEY)
        reconciler._caches._jobs.put(job_body())
        await reconciler.reconcile(KEY)
        server.calls.clear()
        return reconciler

    def without_task(self) -> dict[str, Any]:
        resource = resource_body()
        resource["metadata"] |= {"generation": 2, "resourceVersion": "60"}
        return resource

    async def test_a_run_is_in_the_status_and_no_event_of_the_rollout(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        before = server.statuses[0]
        await reconciler.flush()
        after = server.statuses[-1]
        assert [run["state"] for task in after["tasks"] for run in task["runs"]] == ["Pending"]
        assert {**after, "tasks": [], "activeRuns": 0} == before
        assert [each["reason"] for each in server.events] == ["RolloutStarted"]

    async def test_nothing_is_written_while_it_stays_as_it_is(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        await reconciler.flush()
        statuses = len(server.statuses)
        await reconciler.reconcile(KEY)
        await reconciler.flush()
        assert (len(server.statuses), server.calls) == (statuses, [])

    async def test_an_end_is_written_at_once_and_told(self, server: RecordingServer, reconciler: Reconciler) -> None:
        job = job_body()
        job["metadata"]["resourceVersion"] = "51"
        finished = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-01T00:00:09Z"}
        job["status"] = {"conditions": [finished]}
        reconciler._caches._jobs.put(job)
        await reconciler.reconcile(KEY)
        assert server.statuses[-1]["tasks"][0]["runs"][0]["state"] == "Succeeded"
        await reconciler.flush()
        assert server.events[-1]["message"] == "run migrate-1 of task migrate has succeeded"

    async def test_a_run_of_a_task_that_leaves_the_file_is_taken_over_first(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        reconciler._caches.mill_deployments.put(self.without_task())
        await reconciler.reconcile(KEY)
        assert server.calls == [("patch", "Job migrate-1"), ("delete", "CronJob migrate")]
        reconciler._caches._children["CronJob"]._drop(Key("default", "migrate"))
        await reconciler.reconcile(KEY)
        await reconciler.flush()
        assert [run["state"] for run in server.statuses[-1]["tasks"][0]["runs"]] == ["Pending"]

    async def test_runs_are_looked_at_though_the_spec_is_refused(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        resource = self.without_task()
        resource["spec"] = {"services": [{**SERVICE, "env": {"A": "${service.nobody.address}"}}]}
        reconciler._caches.mill_deployments.put(resource)
        await reconciler.reconcile(KEY)
        assert server.calls == []
        assert server.statuses[-1]["rollout"]["refused"]
        assert [run["name"] for run in server.statuses[-1]["tasks"][0]["runs"]] == ["migrate-1"]

    async def test_a_job_of_an_older_resource_of_the_name_is_not_looked_at(
        self, server: RecordingServer, reconciler: Reconciler
    ) -> None:
        other = job_body()
        other["metadata"] |= {"name": "migrate-0", "ownerReferences": [{"uid": "older"}]}
        reconciler._caches._jobs.put(other)
        await reconciler.reconcile(KEY)
        await reconciler.flush()
        assert [run["name"] for run in server.statuses[-1]["tasks"][0]["runs"]] == ["migrate-1"]
