"""What pods use, by a real metrics-server: in the gateway's figures, and for an autoscaler of the user's own."""

import json
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hack.cluster import Cluster
from hack.controllers import metrics_server
from tests.e2e.conftest import GATEWAY, Namespace, wait_for

FILE = """
service "web" {
  image  = "REGISTRY/web:1"
  port   = 8080
  cpu    = 0.02
  memory = "64M"
}
"""
MOST = 3
MEASURED_SECONDS = 90
"""A pod is measured twice, 15 s apart, before its usage is known; an autoscaler looks every 15 s."""


@pytest.fixture(scope="module", autouse=True)
def running(cluster: Cluster) -> Iterator[None]:
    """metrics-server, as long as the tests of this file run."""
    metrics_server.up(cluster)
    try:
        yield
    finally:
        metrics_server.down(cluster)


def usage(namespace: Namespace, name: str) -> dict[str, float]:
    """Return a figure of the gateway's for each replica in a namespace."""
    text = httpx.get(f"{GATEWAY}/v1/metrics", timeout=30).raise_for_status().text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    ours = [each for each in samples if each.name == name and each.labels["namespace"] == namespace.name]
    return {each.labels["alloc"]: each.value for each in ours}


def autoscaler(most: int) -> str:
    """Return an autoscaler that wants as many pods as it may have: each uses more than the target."""
    target = {"type": "AverageValue", "averageValue": "64Ki"}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": target}}],
    }
    about = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}}
    return json.dumps({**about, "spec": spec})


def replicas(namespace: Namespace) -> int:
    found: int = namespace.get("deployment", "web")["spec"]["replicas"]
    return found


def test_figures_of_the_gateway_are_what_the_kubelet_measures(namespace: Namespace) -> None:
    assert namespace.deploy(FILE).code == 0
    wait_for("its memory", lambda: usage(namespace, "mill_alloc_memory_bytes"), seconds=MEASURED_SECONDS)
    (memory,) = usage(namespace, "mill_alloc_memory_bytes").values()
    assert 100_000 < memory < 64_000_000, "a small Go program, below its limit"
    (cpu,) = usage(namespace, "mill_alloc_cpu_usage").values()
    assert 0 <= cpu < 0.5


def test_an_autoscaler_beside_a_service_without_replicas_is_left_alone(namespace: Namespace) -> None:
    assert namespace.deploy(FILE).code == 0
    namespace.kubectl("apply", "-f", "-", stdin=autoscaler(MOST))
    wait_for("more replicas", lambda: replicas(namespace) == MOST, seconds=MEASURED_SECONDS)
    wait_for("them in the status", lambda: len(namespace.ready_pods("web")) == MOST)
    counted = {"desired": MOST, "healthy": MOST}
    wait_for("the count", lambda: counted.items() <= namespace.service("web")["replicas"].items())
    assert namespace.condition("Ready")["status"] == "True"

    same = namespace.deploy(FILE)
    assert same.code == 0, same
    assert replicas(namespace) == MOST, "the same file again"
    changed = namespace.deploy(FILE.replace("web:1", "web:2"))
    assert changed.code == 0, changed
    assert replicas(namespace) == MOST, "another version"
    assert namespace.mill("restart", "web").code == 0
    assert replicas(namespace) == MOST, "a restart"
    assert namespace.status()["rollout"]["putBack"] == []
    scaled = namespace.items("events", "--field-selector=reason=SuccessfulRescale")
    assert scaled, "it was the autoscaler"
    assert "reason=ScalingReplicaSet from 3 to 1" not in json.dumps(namespace.items("events"))


def test_top_works_as_people_use_it(namespace: Namespace, cluster: Cluster) -> None:
    assert namespace.deploy(FILE).code == 0

    def shown() -> bool:
        command = cluster.kubectl_command("--namespace", namespace.name, "top", "pods", "--no-headers")
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout.startswith("web-")

    wait_for("kubectl top", shown, seconds=MEASURED_SECONDS)


def test_an_autoscaler_beside_replicas_is_reported(namespace: Namespace) -> None:
    assert namespace.deploy(FILE.replace("port  ", "replicas = 1\n  port  ")).code == 0
    namespace.kubectl("apply", "-f", "-", stdin=autoscaler(MOST))

    def warned() -> bool:
        return any(each["code"] == "AutoscalerConflict" for each in namespace.status().get("warnings", ()))

    wait_for("the warning", warned, seconds=MEASURED_SECONDS)
    wait_for("the number of the file", lambda: replicas(namespace) == 1)
    assert "delete the autoscaler" in namespace.mill("status").stdout
