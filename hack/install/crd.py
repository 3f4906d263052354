"""Install the CRD into a cluster, and wait until the API server serves it."""

import time

from hack.cluster import Cluster
from hack.commands import CommandFailed, run

FILE = "crds/milldeployments.yaml"
NAME = "customresourcedefinitions.apiextensions.k8s.io/milldeployments.mill.dev"
_NO_CONDITIONS_YET = ".status.conditions accessor error"
_SECONDS = 60.0


def install_crd(cluster: Cluster) -> None:
    """Apply the CRD; harmless where it is installed already."""
    run(*cluster.kubectl_command("apply", "--server-side", "--force-conflicts", "-f", FILE))
    deadline = time.monotonic() + _SECONDS
    while not _established(cluster, last=time.monotonic() > deadline):
        time.sleep(0.1)


def _established(cluster: Cluster, *, last: bool) -> bool:
    """Wait for the condition. `kubectl wait` fails at once where there are no conditions at all, as at first."""
    try:
        run(*cluster.kubectl_command("wait", "--for=condition=Established", f"--timeout={_SECONDS:.0f}s", NAME))
    except CommandFailed as error:
        if last or _NO_CONDITIONS_YET not in error.output:
            raise
        return False
    return True
