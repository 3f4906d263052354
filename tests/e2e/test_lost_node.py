"""A node that does not answer any more: one that nobody runs. `tests/nodes` loses a real one."""

import contextlib
import json
from collections.abc import Iterator

import pytest

from .conftest import Namespace, wait_for
from .objects import GHOST, Json, bound_volume, ghost, ghost_status, mill

pytestmark = pytest.mark.alone


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
