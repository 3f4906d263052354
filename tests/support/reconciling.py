"""A server that answers a reconciler and records its writes, and the bodies that it answers with."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from mill_kube.client import KubeClient
from mill_kube.errors import Conflict, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS, Resource
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.core import timestamps
from mill_operator.reconciler import Reconciler, ReconcilerOptions

KEY = Key("default", "mill")
SERVICE = {"name": "web", "image": "registry.example/web:1", "port": 8080}


class RecordingServer:
    """Answers as an API server would, and records in `calls` what it was asked."""

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
        job = job_body()
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

    async def replace_status(
        self, resource: Resource, namespace: str, name: str, status: dict[str, Any], *, uid: str, manager: str
    ) -> dict[str, Any]:
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict(409, "Conflict", "others were faster")
        self.statuses.append(status)
        return {}


def resource_body(request: str | None = None) -> dict[str, Any]:
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


def pod_body(deployment: dict[str, Any], *, name: str = "web-1", reason: str = "ContainerCreating") -> dict[str, Any]:
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


def see_pod(reconciler: Reconciler, body: dict[str, Any]) -> None:
    reconciler._caches._pods.put(body)


def replica_set_body(template: dict[str, Any] | None, owner: str) -> dict[str, Any]:
    owners = [{"kind": "Deployment", "name": "web", "uid": owner, "controller": True}]
    return {"metadata": {"ownerReferences": owners}, "spec": {"template": template}}


def job_body() -> dict[str, Any]:
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


def reconciler_of(server: RecordingServer, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Reconciler:
    """Return a reconciler whose caches are empty."""
    client = cast("KubeClient", server)
    return Reconciler(client, Caches(client, None, lambda _key: None), ReconcilerOptions(), now)
