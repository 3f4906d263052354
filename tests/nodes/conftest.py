"""A cluster of two real nodes, with operator and gateway; a gateway that drains; and a namespace for each test."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from hack.cluster import Cluster, nodes
from tests.e2e.conftest import NAMESPACE as SHOWN
from tests.e2e.conftest import Namespace, cluster, new_namespace, pytest_runtest_makereport, wait_for
from tests.e2e.gateway.conftest import gateway
from tests.e2e.gateway.process import GatewayProcess

__all__ = ["cluster", "gateway", "pytest_runtest_makereport"]

STAYING, LEAVING = nodes.FIRST.name, nodes.SECOND.name


needs_two_nodes = pytest.mark.skipif(len(nodes.wanted()) < 2, reason="needs two nodes: make test-nodes")
"""A mark of each file: what a conftest does with collected tests, it does with those of all folders."""


@pytest.fixture
def namespace(
    cluster: Cluster, gateway: GatewayProcess, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Namespace]:
    """A namespace that goes when the test is over; afterwards both nodes take pods again."""
    with new_namespace(cluster, tmp_path, "nodes", gateway.url) as made:
        request.node.stash[SHOWN] = made
        for node in (STAYING, LEAVING):  # taints go a moment after what they were there for
            wait_for(f"{node} to take pods", lambda node=node: takes_pods(made, node), seconds=60)
        try:
            yield made
        finally:
            for node in (STAYING, LEAVING):
                made.kubectl("uncordon", node)


def places(namespace: Namespace, service: str) -> list[str]:
    """Return the nodes of a service's ready pods, sorted."""
    ready = namespace.ready_pods(service)
    pods = [pod for pod in namespace.pods(service) if pod["metadata"]["uid"] in ready]
    return sorted(pod["spec"]["nodeName"] for pod in pods)


def is_ready(namespace: Namespace, node: str) -> bool:
    """Whether the cluster says that a node is ready."""
    conditions = namespace.get("node", node)["status"]["conditions"]
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def takes_pods(namespace: Namespace, node: str) -> bool:
    """Whether a node is ready and no test has left a taint on it."""
    return is_ready(namespace, node) and not namespace.get("node", node)["spec"].get("taints")


class Watched:
    """What the status of a MillDeployment has said while a block ran."""

    def __init__(self) -> None:
        self.ready: list[str] = []
        self.services: dict[str, list[tuple[str, str | None]]] = {}

    def note(self, status: dict[str, Any]) -> None:
        """Take the next status."""
        ready = [each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready"]
        self.ready += [each for each in ready if [each] != self.ready[-1:]]
        for service in status.get("services", ()):
            seen = self.services.setdefault(service["name"], [])
            said = (service["state"], service.get("message"))
            if seen[-1:] != [said]:
                seen.append(said)


@contextmanager
def watched(namespace: Namespace) -> Iterator[Watched]:
    """Watch the MillDeployment of a namespace until the block ends."""
    seen, stop, failures = Watched(), Event(), list[Exception]()

    def look() -> None:
        try:
            while not stop.wait(0.2):
                seen.note(namespace.status())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has not seen what it asserts
            failures.append(error)

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()
    assert failures == [], "the status was not watched to the end"


@contextmanager
def lost_node(namespace: Namespace) -> Iterator[None]:
    """Take the network of the second node away while the block runs. Its containers go on, as in a real split."""
    machine = nodes.SECOND.machine
    assert machine is not None
    machine.unplug()
    try:
        yield
    finally:
        machine.plug_in()
        wait_for("the node to come back", lambda: is_ready(namespace, LEAVING), seconds=90)


def in_background(action: Callable[[], Any]) -> tuple[Thread, list[Any]]:
    """Run something beside the test; return its thread, and where its result will be."""
    results: list[Any] = []
    thread = Thread(target=lambda: results.append(action()), daemon=True)
    thread.start()
    return thread, results


def budget(service: str, least: int) -> str:
    """Return a PodDisruptionBudget of a user's own."""
    selector = {"matchLabels": {"mill.dev/service": service}}
    return json.dumps(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": service},
            "spec": {"minAvailable": least, "selector": selector},
        }
    )
