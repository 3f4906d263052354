"""Services that no node has room for at first, and that start 50 seconds later."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from mill_api.quantities import bytes_of
from mill_cli.errors import Exit
from mill_gateway.objects.amounts import requested
from tests.e2e.conftest import Namespace, wait_for
from tests.soak.cases import Counted, Soak, count
from tests.soak.page import Section, of
from tests.soak.programs import CHECK, web

WAIT_SECONDS = 50.0
WANTED = 512_000_000
"""Bytes that the service requests; the pods that hold the room leave a quarter of it."""
HEADING = "Unschedulable, then started"


def measure(soak: Soak, repetitions: int, measured: str) -> Section:
    """Run the part, one case after the other: each fills the nodes."""
    return section(count(soak, range(repetitions), run, 1), measured)


def run(namespace: Namespace, number: int) -> bool:
    """Deploy a service while other pods hold the room; return whether it is green."""
    text = web("1", 1, CHECK).replace('"32M"', '"512M"')
    with ThreadPoolExecutor(1) as pool, _without_room(namespace):
        deployed = pool.submit(namespace.deploy, text)
        time.sleep(WAIT_SECONDS)
        assert not deployed.done(), deployed.result()
        namespace.kubectl("delete", "pods", "-l", "soak=holder", "--grace-period=0", "--force")
        return deployed.result().code == Exit.SUCCESS


def section(counted: list[Counted[int, bool]], measured: str) -> Section:
    """Return the count."""
    green = sum(each.outcome for each in counted)
    return Section(
        HEADING,
        f"No node has enough memory for the service. After {WAIT_SECONDS:.0f} seconds there is room, its pod starts "
        "and becomes ready. The rollout must succeed: the time that a start may take begins with the container.",
        ("unschedulable for", "green"),
        [[f"{WAIT_SECONDS:.0f} s", of(green, len(counted))]],
        measured,
    )


@contextmanager
def _without_room(namespace: Namespace) -> Iterator[None]:
    """Have a pod on each node that requests almost all memory that is left."""
    pods = [
        each
        for each in namespace.items("pods", "--all-namespaces")
        if each["status"].get("phase") not in ("Succeeded", "Failed")
    ]
    wait_for("the pods' account", lambda: namespace.get("serviceaccount", "default"))
    for node in namespace.items("nodes"):
        name, allocatable = node["metadata"]["name"], bytes_of(node["status"]["allocatable"]["memory"])
        used = sum(requested(each["spec"]).memory for each in pods if each["spec"].get("nodeName") == name)
        holder = _holder(namespace, name, allocatable - used - WANTED // 4)
        namespace.kubectl("apply", "-f", "-", stdin=json.dumps(holder))
    namespace.kubectl("wait", "pods", "-l", "soak=holder", "--for=condition=Ready", "--timeout=60s")
    try:
        yield
    finally:
        namespace.kubectl("delete", "pods", "-l", "soak=holder", "--grace-period=0", "--force", check=False)


def _holder(namespace: Namespace, node: str, memory: int) -> dict[str, Any]:
    resources = {"requests": {"memory": str(memory)}}
    container = {"name": "holder", "image": f"{namespace.registry}/web:1", "resources": resources}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"holder-{node}", "labels": {"soak": "holder"}},
        "spec": {"nodeSelector": {"kubernetes.io/hostname": node}, "containers": [container]},
    }
