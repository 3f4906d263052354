"""One pass over one MillDeployment, against an API server that is played from memory."""

from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import pytest

from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS, PODS, Resource
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.core import timestamps
from mill_operator.reconciler import Reconciler, ReconcilerOptions

KEY = Key("default", "mill")
SERVICE = {"name": "web", "image": "registry.example/web:1", "port": 8080}


class Server:
    """LookupResults as an API server would; what it was asked stands in `calls`."""

    def __init__(self) -> None:
        self.resource: dict[str, Any] | None = None
        self.conflicts = 0
        """How many status writes fail."""
        self.replica_sets: list[dict[str, Any]] = []
        self.applied: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.statuses: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.on_apply: Any = lambda body: None

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        if resource is MILL_DEPLOYMENTS and self.resource is not None:
            return self.resource
        raise NotFound(404, "NotFound", f"{resource.plural} {namespace}/{name} not found")

    async def create(self, resource: Resource, namespace: str, body: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self.events.append(body)
        return body

    async def json_patch(
        self, resource: Resource, namespace: str, name: str, operations: list[dict[str, Any]], *, manager: str
    ) -> dict[str, Any]:
        self.calls.append(("patch", f"{resource.kind} {name}"))
        job = _job()
        job["metadata"]["resourceVersion"] = "100"
        job["metadata"]["ownerReferences"].append(operations[-1]["value"])
        return job

    async def list(
        self, resource: Resource, namespace: str, *, labels: str, limit: int, after: str | None = None
    ) -> dict[str, Any]:
        self.calls.append(("list", f"{resource.plural} {labels}"))
        first = int(after or 0)
        more = first + limit < len(self.replica_sets)
        metadata = {"continue": str(first + limit)} if more else {}
        return {"items": self.replica_sets[first : first + limit], "metadata": metadata}

    async def apply(self, resource: Resource, namespace: str, body: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self.calls.append(("apply", resource.kind))
        version = str(len(self.calls) + 1)
        meta = {**body["metadata"], "uid": f"{resource.kind}-uid", "resourceVersion": version, "generation": 1}
        meta["creationTimestamp"] = "2026-01-01T00:00:00Z"
        answer = {**body, "metadata": meta}
        if resource.kind == "Deployment":
            answer["spec"] = {**body["spec"], "replicas": 1}
        self.applied[resource.kind] = body
        self.on_apply(answer)
        return answer

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> dict[str, Any]:
        self.calls.append(("delete", f"{resource.kind} {name}"))
        return {"kind": "Status"}

    async def merge_status(
        self, resource: Resource, namespace: str, name: str, body: dict[str, Any], *, manager: str
    ) -> dict[str, Any]:
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict(409, "Conflict", "others were faster")
        self.statuses.append(body["status"])
        return {}


def _resource(request: str | None = None) -> dict[str, Any]:
    annotations = {"mill.dev/request": request} if request else {}
    return {
        "metadata": {
            "name": "mill",
            "namespace": "default",
            "uid": "mill-uid",
            "resourceVersion": "1" if request is None else "5",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": annotations,
        },
        "spec": {"services": [SERVICE]},
    }


def _pod(deployment: dict[str, Any], *, name: str = "web-1", reason: str = "ContainerCreating") -> dict[str, Any]:
    waiting = {"reason": reason, "message": 'failed to resolve reference "registry.example/web:1": not found'}
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": name,
            "resourceVersion": "3",
            "creationTimestamp": timestamps.render(datetime.now(UTC)),
            "labels": deployment["spec"]["template"]["metadata"]["labels"],
        },
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "web", "state": {"waiting": waiting}}]},
    }


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def reconciler(server: Server) -> Reconciler:
    client = cast("KubeClient", server)
    return Reconciler(client, Caches(client, None, lambda _key: None), ReconcilerOptions(), lambda: datetime.now(UTC))


def _see_pod(reconciler: Reconciler, body: dict[str, Any]) -> None:
    reconciler._caches._pods.put(body)


async def test_pods_that_the_pass_itself_brought_about_are_not_renewed(server: Server, reconciler: Reconciler) -> None:
    """A loaded machine may show the first pods before the pass that made their Deployment is over."""

    def applied(body: dict[str, Any]) -> None:
        if body["kind"] == "Deployment":
            _see_pod(reconciler, _pod(body))

    server.on_apply = applied
    reconciler._caches.mill_deployments.put(_resource())
    await reconciler.reconcile(KEY)
    assert ("apply", "Deployment") in server.calls
    assert [call for call in server.calls if call[0] == "delete"] == []
    assert server.statuses[-1]["services"][0]["state"] == "Pulling"


async def test_asked_again_a_service_that_is_not_healthy_gets_new_pods(server: Server, reconciler: Reconciler) -> None:
    def applied(body: dict[str, Any]) -> None:
        if body["kind"] == "Deployment":
            _see_pod(reconciler, _pod(body, reason="ImagePullBackOff"))

    server.on_apply = applied
    reconciler._caches.mill_deployments.put(_resource())
    await reconciler.reconcile(KEY)
    assert server.statuses[-1]["services"][0]["state"] == "Failed"
    reconciler._caches.mill_deployments.put(_resource(request="again"))
    await reconciler.reconcile(KEY)
    assert server.calls[-1] == ("delete", f"{PODS.kind} web-1")
    assert server.statuses[-1]["rollout"]["id"] == "1-again"
    assert server.statuses[-1]["services"][0]["state"] == "Pending"


async def test_a_resource_that_is_gone_or_going_is_left_to_the_garbage_collector(
    server: Server, reconciler: Reconciler
) -> None:
    await reconciler.reconcile(KEY)
    body = _resource()
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    reconciler._caches.mill_deployments.put(body)
    await reconciler.reconcile(KEY)
    assert server.calls == []
    assert server.statuses == []


async def test_a_pass_without_a_change_writes_nothing(server: Server, reconciler: Reconciler) -> None:
    reconciler._caches.mill_deployments.put(_resource())
    await reconciler.reconcile(KEY)
    calls, statuses = len(server.calls), len(server.statuses)
    await reconciler.reconcile(KEY)
    assert (len(server.calls), len(server.statuses)) == (calls, statuses)


class TestWrites:
    """A write that fails leaves nothing under way behind it, and none that was never begun."""

    async def test_all_of_a_wave_are_waited_for_when_one_fails(self, server: Server, reconciler: Reconciler) -> None:
        def fail(body: dict[str, Any]) -> None:
            raise ApiError(503, "ServiceUnavailable", "no")

        server.on_apply = fail
        reconciler._caches.mill_deployments.put(_resource())
        with pytest.raises(ApiError, match="no"):
            await reconciler.reconcile(KEY)
        assert server.calls == [("apply", "Deployment")]
        assert server.statuses == []

    async def test_a_broken_webhook_is_a_problem_of_that_object_alone(
        self, server: Server, reconciler: Reconciler
    ) -> None:
        def fail(body: dict[str, Any]) -> None:
            if body["kind"] == "Service":
                raise ApiError(500, "InternalError", 'failed calling webhook "validate.example"')

        server.on_apply = fail
        reconciler._caches.mill_deployments.put(_resource())
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
        self, server: Server, reconciler: Reconciler, error: ApiError
    ) -> None:
        def refuse_rollout(body: dict[str, Any]) -> None:
            raise error

        server.on_apply = refuse_rollout
        reconciler._caches.mill_deployments.put(_resource())
        await reconciler.reconcile(KEY)
        assert [each["state"] for each in server.statuses[-1]["services"]] == ["Pending"]


class TestLostChild:
    """The watches are not in step: a Deployment's end may be seen before that of the resource which it went with."""

    async def lose(self, server: Server, reconciler: Reconciler) -> None:
        resource = _resource()
        reconciler._caches.mill_deployments.put(resource)
        await reconciler.reconcile(KEY)
        resource["status"] = server.statuses[-1]
        reconciler._caches._children["Deployment"]._drop(Key("default", "web"))
        server.calls.clear()

    async def test_with_its_resource_gone_it_is_not_made_again(self, server: Server, reconciler: Reconciler) -> None:
        await self.lose(server, reconciler)
        await reconciler.reconcile(KEY)
        assert server.calls == []

    @pytest.mark.parametrize("change", [{"uid": "another"}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}])
    async def test_nor_with_its_resource_going_or_replaced(
        self, server: Server, reconciler: Reconciler, change: dict[str, str]
    ) -> None:
        await self.lose(server, reconciler)
        server.resource = _resource()
        server.resource["metadata"] |= change
        await reconciler.reconcile(KEY)
        assert server.calls == []

    async def test_deleted_by_hand_it_is(self, server: Server, reconciler: Reconciler) -> None:
        await self.lose(server, reconciler)
        server.resource = _resource()
        await reconciler.reconcile(KEY)
        assert server.calls == [("apply", "Deployment")]


async def test_a_restart_that_somebody_asks_for_makes_new_pods(server: Server, reconciler: Reconciler) -> None:
    def template() -> dict[str, Any]:
        return server.applied["Deployment"]["spec"]["template"]["metadata"]

    reconciler._caches.mill_deployments.put(_resource())
    await reconciler.reconcile(KEY)
    before = template()
    resource = _resource(request="r1")
    resource["metadata"]["annotations"]["restart.mill.dev/web"] = "r1"
    reconciler._caches.mill_deployments.put(resource)
    await reconciler.reconcile(KEY)
    assert template()["annotations"] == {"mill.dev/restart": "r1"}
    assert template()["labels"]["mill.dev/template"] != before["labels"]["mill.dev/template"]


async def test_a_status_that_others_were_faster_than_is_written_again(server: Server, reconciler: Reconciler) -> None:
    reconciler._caches.mill_deployments.put(_resource())
    server.conflicts = 1
    assert await reconciler.reconcile(KEY) == 1.0
    assert server.statuses == []
    await reconciler.reconcile(KEY)
    assert server.statuses[-1]["rollout"]["id"] == "1"


async def test_a_pod_that_is_gone_before_its_deletion_is_answered_stays_gone(
    server: Server, reconciler: Reconciler
) -> None:
    deployment = {
        "spec": {"template": {"metadata": {"labels": {"mill.dev/deployment": "mill", "mill.dev/service": "web"}}}}
    }
    reconciler._caches.learn_pod(_pod(deployment))
    assert reconciler._caches._pods.in_group(KEY) == []


class TestTakenBack:
    """A service with a volume, whose new version fails: the version before comes back when the evidence is written."""

    DB: ClassVar = {**SERVICE, "name": "web", "volumes": [{"name": "data", "path": "/data", "size": "1Gi"}]}
    KEPT: ClassVar = {
        "metadata": {"labels": {"mill.dev/template": "good", "pod-template-hash": "abc"}},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web:0"}]},
    }

    async def fail(self, server: Server, reconciler: Reconciler) -> float | None:
        resource = _resource()
        resource["spec"]["services"] = [self.DB]
        resource["status"] = {
            "observedGeneration": 0,
            "rollout": {"id": "0", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"},
            "services": [{"name": "web", "state": "Healthy", "template": "good", "healthyTemplate": "good"}],
        }
        server.on_apply = lambda body: (
            body["kind"] == "Deployment" and _see_pod(reconciler, _pod(body, reason="ErrImagePull"))
        )
        reconciler._caches.mill_deployments.put(resource)
        return await reconciler.reconcile(KEY)

    async def test_first_the_evidence_is_written_then_the_old_template_comes_back(
        self, server: Server, reconciler: Reconciler
    ) -> None:
        """However many ReplicaSets of others have its labels."""
        foreign = {**self.KEPT, "spec": {"containers": [{"name": "web", "image": "evil"}]}}
        server.replica_sets = [
            {"spec": {"template": foreign}},
            *[_replica_set(foreign, "another-uid")] * 25,
            _replica_set(None, "Deployment-uid"),
            _replica_set(self.KEPT, "Deployment-uid"),
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
        self, server: Server, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.replica_sets = [_replica_set(self.KEPT, "Deployment-uid")]
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

    async def test_without_an_old_version_it_stays_and_may_heal(self, server: Server, reconciler: Reconciler) -> None:
        await self.fail(server, reconciler)
        before = server.applied["Deployment"]
        await reconciler.reconcile(KEY)
        assert server.applied["Deployment"] is before
        assert [call for call in server.calls if call[0] == "list"] != []


def _replica_set(template: dict[str, Any] | None, owner: str) -> dict[str, Any]:
    owners = [{"kind": "Deployment", "name": "web", "uid": owner, "controller": True}]
    return {"metadata": {"ownerReferences": owners}, "spec": {"template": template}}


def _job() -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "mill", "mill.dev/deployment": "mill", "mill.dev/task": "migrate"}
    return {
        "metadata": {
            "name": "migrate-1",
            "namespace": "default",
            "uid": "job-uid",
            "resourceVersion": "50",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": labels,
            "ownerReferences": [{"kind": "CronJob", "name": "migrate", "uid": "CronJob-uid"}],
        },
        "spec": {"template": {"spec": {"containers": [{"name": "migrate", "image": "registry.example/web:1"}]}}},
        "status": {},
    }


class TestTasks:
    @pytest.fixture
    async def reconciler(self, server: Server, reconciler: Reconciler) -> Reconciler:
        """One whose MillDeployment has a task, which has been spawned."""
        resource = _resource()
        resource["spec"]["tasks"] = [{"name": "migrate", "image": "registry.example/web:1"}]
        reconciler._caches.mill_deployments.put(resource)
        await reconciler.reconcile(KEY)
        reconciler._caches._jobs.put(_job())
        await reconciler.reconcile(KEY)
        server.calls.clear()
        return reconciler

    def without_task(self) -> dict[str, Any]:
        resource = _resource()
        resource["metadata"] |= {"generation": 2, "resourceVersion": "60"}
        return resource

    async def test_a_run_is_in_the_status_and_no_event_of_the_rollout(
        self, server: Server, reconciler: Reconciler
    ) -> None:
        before = server.statuses[0]
        await reconciler.flush()
        after = server.statuses[-1]
        assert [run["state"] for task in after["tasks"] for run in task["runs"]] == ["Pending"]
        assert {**after, "tasks": [], "activeRuns": 0} == before
        assert [each["reason"] for each in server.events] == ["RolloutStarted"]

    async def test_nothing_is_written_while_it_stays_as_it_is(self, server: Server, reconciler: Reconciler) -> None:
        await reconciler.flush()
        statuses = len(server.statuses)
        await reconciler.reconcile(KEY)
        await reconciler.flush()
        assert (len(server.statuses), server.calls) == (statuses, [])

    async def test_an_end_is_written_at_once_and_told(self, server: Server, reconciler: Reconciler) -> None:
        job = _job()
        job["metadata"]["resourceVersion"] = "51"
        finished = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-01T00:00:09Z"}
        job["status"] = {"conditions": [finished]}
        reconciler._caches._jobs.put(job)
        await reconciler.reconcile(KEY)
        assert server.statuses[-1]["tasks"][0]["runs"][0]["state"] == "Succeeded"
        await reconciler.flush()
        assert server.events[-1]["message"] == "run migrate-1 of task migrate has succeeded"

    async def test_a_run_of_a_task_that_leaves_the_file_is_taken_over_first(
        self, server: Server, reconciler: Reconciler
    ) -> None:
        reconciler._caches.mill_deployments.put(self.without_task())
        await reconciler.reconcile(KEY)
        assert server.calls == [("patch", "Job migrate-1"), ("delete", "CronJob migrate")]
        reconciler._caches._children["CronJob"]._drop(Key("default", "migrate"))
        await reconciler.reconcile(KEY)
        await reconciler.flush()
        assert [run["state"] for run in server.statuses[-1]["tasks"][0]["runs"]] == ["Pending"]

    async def test_runs_are_looked_at_though_the_spec_is_refused(self, server: Server, reconciler: Reconciler) -> None:
        resource = self.without_task()
        resource["spec"] = {"services": [{**SERVICE, "env": {"A": "${service.nobody.address}"}}]}
        reconciler._caches.mill_deployments.put(resource)
        await reconciler.reconcile(KEY)
        assert server.calls == []
        assert server.statuses[-1]["rollout"]["refused"]
        assert [run["name"] for run in server.statuses[-1]["tasks"][0]["runs"]] == ["migrate-1"]

    async def test_a_job_of_an_older_resource_of_the_name_is_not_looked_at(
        self, server: Server, reconciler: Reconciler
    ) -> None:
        other = _job()
        other["metadata"] |= {"name": "migrate-0", "ownerReferences": [{"uid": "older"}]}
        reconciler._caches._jobs.put(other)
        await reconciler.reconcile(KEY)
        await reconciler.flush()
        assert [run["name"] for run in server.statuses[-1]["tasks"][0]["runs"]] == ["migrate-1"]
