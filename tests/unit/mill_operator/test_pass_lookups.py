"""A pass asks for what a pod does not say, and judges once more with the answer."""

from typing import Any

import pytest

from mill_kube.connection import Request
from mill_operator.clock import SteadyClock
from mill_operator.reconciler import Reconciler
from tests.support.reconciling import KEY, RecordingServer, pod_body, reconciler_of, resource_body, see_pod

NO_MATCH = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/web:1": '
    "no match for platform in manifest: not found"
)


class ServerWithNode(RecordingServer):
    async def request(self, request: Request) -> dict[str, Any]:
        self.calls.append((request.verb, request.path))
        return {"status": {"nodeInfo": {"operatingSystem": "linux", "architecture": "riscv64"}}}


@pytest.fixture
def server() -> ServerWithNode:
    return ServerWithNode()


@pytest.fixture
def reconciler(server: ServerWithNode) -> Reconciler:
    return reconciler_of(server, SteadyClock())


async def test_the_reason_names_the_node_s_platform(server: ServerWithNode, reconciler: Reconciler) -> None:
    def applied(body: dict[str, Any]) -> None:
        if body["kind"] == "Deployment":
            pod = pod_body(body, reason="ErrImagePull")
            pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"] = NO_MATCH
            see_pod(reconciler, pod)

    server.on_apply = applied
    reconciler._caches.mill_deployments.put(resource_body())
    await reconciler.reconcile(KEY)
    (service,) = server.statuses[-1]["services"]
    assert (service["reason"], service["message"]) == (
        "WrongPlatform",
        "image pull failed: not built for linux/riscv64",
    )
    assert server.calls.count(("get", "/api/v1/nodes/node-1")) == 1
    await reconciler.reconcile(KEY)
    assert server.calls.count(("get", "/api/v1/nodes/node-1")) == 1, "the answer is still fresh"
