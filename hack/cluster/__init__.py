"""A local Kubernetes cluster for development and tests: `python -m hack.cluster up`.

From Python: `cluster = hack.cluster.up()`, then `cluster.kubeconfig`, `cluster.context`, `cluster.registry`,
`cluster.kubectl`.
"""

from hack.cluster.choose import backend
from hack.cluster.handle import Cluster

__all__ = ["Cluster", "describe", "down", "status", "up"]


def up() -> Cluster:
    """Start the cluster unless it runs; return where it is."""
    return backend().up()


def down() -> None:
    """Stop the cluster, if it is ours."""
    backend().down()


def status() -> str:
    """Return how the cluster is, for a person to read."""
    return backend().status()


def describe() -> Cluster:
    """Return where the cluster is or would be, without starting anything."""
    return backend().describe()
