"""What all of them need."""

from hack.cluster import Cluster
from hack.cluster.packages import NotSupported


def embedded(cluster: Cluster, name: str) -> None:
    """Raise `NotSupported` unless the cluster is the embedded one, whose pods and services this machine reaches."""
    if cluster.kind_of != "embedded":
        raise NotSupported(f"{name} runs beside the embedded cluster only (docs/local-cluster.md)")
