"""Nodes that do not answer any more: one whose kubelet is stopped until the test is over, one that nobody runs."""

import contextlib
import json
import signal
from collections.abc import Iterator

import pytest

from hack.cluster import Cluster, processes

from .conftest import Namespace, wait_for
from .objects import GHOST, Json, bound_volume, ghost, ghost_status, mill

pytestmark = pytest.mark.alone

TWO = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.05
  replicas = 0
}

service "old" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
}
"""
ONE = TWO[: TWO.index('service "old"')]
KUBELET = "node-1-kubelet"


@contextlib.contextmanager
def silent_kubelet(cluster: Cluster) -> Iterator[None]:
    """Stop the node's kubelet, and let it go on until the node is ready again."""
    processes.send(KUBELET, signal.SIGSTOP)
    try:
        yield
    finally:
        processes.send(KUBELET, signal.SIGCONT)
        import subprocess

        ready = cluster.kubectl_command("wait", "--for=condition=Ready", "node/node-1", "--timeout=60s")
        subprocess.run(ready, check=True, capture_output=True)


def test_a_removed_service_on_a_lost_node_ends_the_rollout_with_the_node_s_name(
    namespace: Namespace, cluster: Cluster
) -> None:
    if cluster.kind_of != "embedded":
        pytest.skip("only the embedded cluster's kubelet is ours to stop")
    assert namespace.deploy(TWO).code == 0
    with silent_kubelet(cluster):
        done = namespace.deploy(ONE)
        assert done.code == 1
        assert done.stdout.splitlines() == [
            "  old: failed: not stopped: node node-1 does not answer",
            "  deploy finished with errors",
        ]
        assert namespace.condition("Stalled")["reason"] == "NotStopped"
        (pod,) = namespace.items("pods", "-l", "mill.dev/service=old")
        assert "deletionTimestamp" in pod["metadata"]
    wait_for("the service to be gone", lambda: namespace.service("old").get("state") == "Stopped")
    assert namespace.condition("Ready")["status"] == "True"
    assert namespace.items("pods", "-l", "mill.dev/service=old") == []


@contextlib.contextmanager
def ghost_node(namespace: Namespace) -> Iterator[None]:
    """Have a node that nobody runs, ready, until the block ends. Nothing else must be placed there."""
    apply(namespace, [ghost()])
    try:
        set_ready(namespace, "True")
        yield
    finally:
        namespace.kubectl("delete", f"node/{GHOST}", "--wait=false")


def apply(namespace: Namespace, objects: list[Json]) -> None:
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    namespace.kubectl("apply", "-f", "-", stdin=items)


def set_ready(namespace: Namespace, ready: str) -> None:
    patch = json.dumps(ghost_status(ready))
    namespace.kubectl("patch", "node", GHOST, "--subresource=status", "-p", patch)


def test_a_pod_on_a_lost_node_is_suspect_and_names_it(namespace: Namespace) -> None:
    volume = f"lost-{namespace.name}"
    there = bound_volume(volume, "lost", namespace.name, path="/tmp", node=GHOST)
    data = {"name": "lost-data", "path": "/data", "size": "1Mi"}
    lost = {"name": "lost", "image": f"{namespace.registry}/web:1", "port": 8080, "volumes": [data]}
    with ghost_node(namespace):
        try:
            apply(namespace, [*there, mill([lost])])
            wait_for(
                "a pod on the node", lambda: any(pod["spec"].get("nodeName") == GHOST for pod in namespace.pods("lost"))
            )
            set_ready(namespace, "Unknown")
            service = wait_for("the suspicion", lambda: _suspect_lost(namespace.service("lost")))
            assert service["message"] == f"node {GHOST} does not answer"
        finally:
            namespace.kubectl("delete", f"persistentvolume/{volume}", "--wait=false", check=False)


def _suspect_lost(service: Json) -> Json | None:
    return service if (service.get("state"), service.get("reason")) == ("Suspect", "NodeLost") else None
