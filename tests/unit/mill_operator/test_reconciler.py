"""One pass over one MillDeployment, against an API server that is played from memory."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from mill_api.key import Key
from mill_api.kube.client import KubeClient, NotFound
from mill_api.kube.resources import PODS, Resource
from mill_operator.cluster import Cluster
from mill_operator.reconciler import Reconciler

KEY = Key("default", "mill")
SERVICE = {"name": "web", "image": "registry.example/web:1", "port": 8080}


class Server:
    """Answers as an API server would; what it was asked stands in `calls`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.statuses: list[dict[str, Any]] = []
        self.on_apply: Any = lambda body: None

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        raise NotFound(404, "NotFound", f"{resource.plural} {namespace}/{name} not found")

    async def apply(self, resource: Resource, namespace: str, body: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self.calls.append(("apply", resource.kind))
        meta = {**body["metadata"], "uid": f"{resource.kind}-uid", "resourceVersion": "2", "generation": 1}
        answer = {**body, "metadata": meta}
        if resource.kind == "Deployment":
            answer["spec"] = {**body["spec"], "replicas": 1}
        self.on_apply(answer)
        return answer

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> dict[str, Any]:
        self.calls.append(("delete", f"{resource.kind} {name}"))
        return {"kind": "Status"}

    async def merge_status(
        self, resource: Resource, namespace: str, name: str, body: dict[str, Any], *, manager: str
    ) -> dict[str, Any]:
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
            "creationTimestamp": "2026-01-01T00:00:00Z",
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
    return Reconciler(client, Cluster(client, None, lambda _key: None), lambda: datetime.now(UTC))


def _see_pod(reconciler: Reconciler, body: dict[str, Any]) -> None:
    reconciler._cluster._pods.learn(body)


async def test_pods_that_the_pass_itself_brought_about_are_not_renewed(server: Server, reconciler: Reconciler) -> None:
    """A loaded machine may show the first pods before the pass that made their Deployment is over."""

    def applied(body: dict[str, Any]) -> None:
        if body["kind"] == "Deployment":
            _see_pod(reconciler, _pod(body))

    server.on_apply = applied
    reconciler._cluster.parents.learn(_resource())
    await reconciler.reconcile(KEY)
    assert ("apply", "Deployment") in server.calls
    assert [call for call in server.calls if call[0] == "delete"] == []
    assert server.statuses[-1]["services"][0]["state"] == "Pulling"


async def test_asked_again_a_service_that_is_not_healthy_gets_new_pods(server: Server, reconciler: Reconciler) -> None:
    def applied(body: dict[str, Any]) -> None:
        if body["kind"] == "Deployment":
            _see_pod(reconciler, _pod(body, reason="ImagePullBackOff"))

    server.on_apply = applied
    reconciler._cluster.parents.learn(_resource())
    await reconciler.reconcile(KEY)
    assert server.statuses[-1]["services"][0]["state"] == "Failed"
    reconciler._cluster.parents.learn(_resource(request="again"))
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
    reconciler._cluster.parents.learn(body)
    await reconciler.reconcile(KEY)
    assert server.calls == []
    assert server.statuses == []


async def test_a_pass_without_a_change_writes_nothing(server: Server, reconciler: Reconciler) -> None:
    reconciler._cluster.parents.learn(_resource())
    await reconciler.reconcile(KEY)
    calls, statuses = len(server.calls), len(server.statuses)
    await reconciler.reconcile(KEY)
    assert (len(server.calls), len(server.statuses)) == (calls, statuses)
