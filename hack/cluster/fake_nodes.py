"""Nodes that exist in the API only, for benches with thousands of pods: kwok plays their kubelets.

Pods land on them only from namespaces that `namespace_annotations` marks: two admission plugins of the API server give
the pods of such a namespace the selector and the toleration that fake nodes ask for, so that neither a MillDeployment
nor the real node knows anything of it. What runs elsewhere in the cluster meanwhile is not touched.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hack import paths
from hack.cluster import processes
from hack.cluster.handle import Cluster
from hack.cluster.packages import NotSupported
from hack.commands import run
from hack.progress import step
from hack.toolchain.build import KWOK, build

NAME: Final = "kwok"
_CONFIGURATION: Final = Path(__file__).with_suffix(".yaml")
_MARK: Final = "kwok.x-k8s.io/node"
_FAKE: Final = "fake"
_SELECTOR: Final = f"{_MARK}={_FAKE}"


def namespace_annotations() -> dict[str, str]:
    """Return the annotations of a namespace whose pods go to fake nodes, all of them."""
    toleration = {"key": _MARK, "operator": "Equal", "value": _FAKE, "effect": "NoSchedule"}
    return {
        "scheduler.alpha.kubernetes.io/node-selector": _SELECTOR,
        "scheduler.alpha.kubernetes.io/defaultTolerations": json.dumps([toleration]),
    }


@contextmanager
def fake_nodes(cluster: Cluster, count: int) -> Iterator[None]:
    """Have so many fake nodes while the block runs. Their pods should be gone before it ends."""
    if cluster.kind_of != "embedded":
        raise NotSupported("fake nodes need the embedded cluster (docs/local-cluster.md)")
    build([KWOK])
    try:
        with step(f"starting {count} fake nodes"):
            processes.stop(NAME)  # of a run that was killed
            processes.start(_daemon())
            nodes = {"apiVersion": "v1", "kind": "List", "items": [_node(number) for number in range(1, count + 1)]}
            run(*cluster.kubectl_command("apply", "--server-side", "-f", "-"), stdin=json.dumps(nodes))
            processes.wait_until(NAME, lambda: _ready_nodes(cluster) >= count)
        yield
    finally:
        run(*cluster.kubectl_command("delete", "nodes", "-l", _SELECTOR))
        processes.forget(NAME)


def _daemon() -> processes.Daemon:
    arguments = (f"--config={_CONFIGURATION}", f"--kubeconfig={paths.KUBECONFIG}")
    return processes.Daemon(NAME, (str(KWOK.path), *arguments), guest=True)


def _ready_nodes(cluster: Cluster) -> int:
    states = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    found = run(*cluster.kubectl_command("get", "nodes", "-l", _SELECTOR, "-o", f"jsonpath={states}"))
    return found.split().count("True")


def _node(number: int) -> dict[str, Any]:
    capacity = {"cpu": "1000", "memory": "4Ti", "pods": "10000"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"fake-{number}",
            "annotations": {_MARK: _FAKE},
            "labels": {
                _MARK: _FAKE,
                "kubernetes.io/hostname": f"fake-{number}",
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
            },
        },
        "spec": {"taints": [{"key": _MARK, "value": _FAKE, "effect": "NoSchedule"}]},
        "status": {"allocatable": capacity, "capacity": capacity},
    }
