"""A node that does not answer any more: its kubelet is stopped, and goes on when the test is over."""

import contextlib
import signal
from collections.abc import Iterator

import pytest

from hack.cluster import Cluster, processes

from .conftest import Namespace, wait_for

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
