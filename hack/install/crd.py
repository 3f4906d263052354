"""Install the CRD into a cluster, and wait until the API server serves it."""

from hack.cluster import Cluster
from hack.commands import run

FILE = "crds/milldeployments.yaml"
NAME = "customresourcedefinitions.apiextensions.k8s.io/milldeployments.mill.dev"


def install_crd(cluster: Cluster) -> None:
    """Apply the CRD; harmless where it is installed already."""
    run(*cluster.kubectl_command("apply", "--server-side", "--force-conflicts", "-f", FILE))
    run(*cluster.kubectl_command("wait", "--for=condition=Established", "--timeout=60s", NAME))
