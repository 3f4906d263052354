"""A reconciler before the in-memory API server, and the objects that its tests put there."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mill_kube.calls import READS
from mill_kube.connection import Request
from mill_kube.reflector import Reflector
from mill_kube.resources import DEPLOYMENTS, EVENTS, LEASES, MILL_DEPLOYMENTS, PODS, Resource
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.core import timestamps
from mill_operator.reconciler import Hooks, Reconciler, ReconcilerOptions
from tests.support.apiserver import ApiServer, InMemoryClient, action_of

KEY = Key("default", "mill")
UID = "mill-uid"
SERVICE = {"name": "web", "image": "registry.example/web:1", "port": 8080}


class ReconcilerHarness:
    """A reconciler, its API server, and caches without watches: the test says what they observe, and when."""

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, keeps_revisions: bool = False
    ) -> None:
        self._keeps_revisions = keeps_revisions
        self.server = ApiServer()
        self.client = InMemoryClient(self.server)
        self.internal_errors: list[str] = []
        """The kind of each service or task that could not be rendered or judged."""
        self._now = now
        self.restart()

    def restart(self, **options: Any) -> None:
        """Start a new process: nothing in memory, and caches that have what the API server has."""
        self.caches = Caches(self.client, None, lambda _key: None)
        self.reconciler = Reconciler(
            self.client,
            self.caches,
            ReconcilerOptions(keeps_revisions=self._keeps_revisions, **options),
            self._now,
            hooks=Hooks(on_internal_error=lambda _key, kind: self.internal_errors.append(kind)),
        )
        for each in self.caches.reflectors:
            for body in self.server.all(each.resource):
                each.put(body)

    async def reconcile(self) -> float | None:
        return await self.reconciler.reconcile(KEY)

    def observe(self, resource: Resource, body: Json) -> None:
        """Store an object in the API server, and then in the cache of its kind."""
        self._reflector(resource).put(self.server.put(resource, body))

    def change(self, *, spec: Json | None = None, **metadata: Any) -> None:
        """Change the MillDeployment, if there is one, and observe it with the status that is stored."""
        stored = self.server.find(MILL_DEPLOYMENTS, *KEY) or resource_body()
        changed = {**stored, "metadata": {**stored["metadata"], **metadata}}
        self.observe(MILL_DEPLOYMENTS, changed if spec is None else {**changed, "spec": spec})

    def lose(self, resource: Resource, name: str) -> None:
        """Delete an object, and drop it from the cache of its kind."""
        self.server.remove(resource, KEY.namespace, name)
        self.forget(resource, name)

    def forget(self, resource: Resource, name: str) -> None:
        """Drop an object from the cache of its kind, as if the watch had reported its end."""
        self._reflector(resource)._drop(Key(KEY.namespace, name))

    def when_applied(self, resource: Resource, act: Callable[[Json], None]) -> None:
        """Act on each applied object of a kind before the reconciler has the answer."""

        def observer(request: Request, answer: Json) -> None:
            if request.resource == resource and action_of(request) == "apply":
                act(answer)

        self.server.observers.append(observer)

    def pods_fail(self, reason: str, message: str | None = None) -> None:
        """Let each Deployment get a pod at once, which waits for a reason."""

        def create_pod(deployment: Json) -> None:
            self.observe(PODS, pod_body(deployment, reason=reason, message=message))

        self.when_applied(DEPLOYMENTS, create_pod)

    @property
    def writes(self) -> list[tuple[str, str]]:
        return child_writes(self.server)

    @property
    def statuses(self) -> list[Json]:
        return written_statuses(self.server)

    @property
    def service(self) -> Json:
        """The only service of the newest status."""
        (service,) = self.statuses[-1]["services"]
        return dict(service)

    def _reflector(self, resource: Resource) -> Reflector[Any]:
        return next(each for each in self.caches.reflectors if each.resource == resource)


def child_writes(server: ApiServer) -> list[tuple[str, str]]:
    """Return the action and the object of each write that was sent, other than statuses, Events and Leases."""
    return [
        (action_of(each), f"{each.resource.kind} {each.name}")
        for each in server.requests
        if each.verb not in READS and each.resource not in (MILL_DEPLOYMENTS, EVENTS, LEASES)
    ]


def written_statuses(server: ApiServer, name: str = KEY.name) -> list[Json]:
    """Return the statuses of a MillDeployment, as each write of them was stored."""
    return [
        answer["status"]
        for request, answer in server.answers
        if request.resource == MILL_DEPLOYMENTS and request.subresource == "status" and request.name == name
    ]


def created_events(server: ApiServer, name: str = KEY.name) -> list[Json]:
    """Return the Events that were created for a MillDeployment."""
    return [
        answer
        for request, answer in server.answers
        if request.resource == EVENTS and request.verb == "create" and answer["involvedObject"]["name"] == name
    ]


def resource_body(spec: Json | None = None, **metadata: Any) -> Json:
    """Return a MillDeployment of one service."""
    return {
        "metadata": {
            "name": KEY.name,
            "namespace": KEY.namespace,
            "uid": UID,
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            **metadata,
        },
        "spec": spec or {"services": [SERVICE]},
    }


def pod_body(
    deployment: Json, *, name: str = "web-1", reason: str = "ContainerCreating", message: str | None = None
) -> Json:
    """Return a pod of a Deployment whose container waits for a reason."""
    not_found = 'failed to resolve reference "registry.example/web:1": not found'
    waiting = {"reason": reason, "message": message or not_found}
    return {
        "metadata": {
            "name": name,
            "namespace": KEY.namespace,
            "uid": name,
            "creationTimestamp": timestamps.render(datetime.now(UTC)),
            "labels": deployment["spec"]["template"]["metadata"]["labels"],
        },
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "web", "state": {"waiting": waiting}}]},
    }


def replica_set_body(name: str, template: Json | None, owner: str, **labels: str) -> Json:
    """Return a ReplicaSet whose controller is the Deployment of a uid."""
    owners = [{"kind": "Deployment", "name": "web", "uid": owner, "controller": True}]
    metadata = {"name": name, "namespace": KEY.namespace, "labels": labels, "ownerReferences": owners}
    return {"metadata": metadata, "spec": {"template": template}}


def job_body(cron_job: str) -> Json:
    """Return a Job that was made from the CronJob of a uid."""
    labels = {"app.kubernetes.io/managed-by": "mill", "mill.dev/deployment": "mill", "mill.dev/task": "migrate"}
    return {
        "metadata": {
            "name": "migrate-1",
            "namespace": KEY.namespace,
            "uid": "job-uid",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": labels,
            "ownerReferences": [{"kind": "CronJob", "name": "migrate", "uid": cron_job}],
        },
        "spec": {"template": {"spec": {"containers": [{"name": "migrate", "image": "registry.example/web:1"}]}}},
        "status": {},
    }
