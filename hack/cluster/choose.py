"""Decide which cluster to use: one that is named, kind where Docker is, else the embedded one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Final, Protocol

from hack import paths
from hack.cluster import components, embedded, given, kind, nodes, variants
from hack.cluster.handle import Cluster
from hack.cluster.packages import NotSupported

_EMBEDDED_ALONE: Final = (components.KUBERNETES, components.CONTAINERD, nodes.VARIABLE, variants.VARIABLE)


class Backend(Protocol):
    """What each of the modules `given`, `kind` and `embedded` offers."""

    def up(self) -> Cluster:
        """Start the cluster unless it runs."""

    def down(self) -> None:
        """Stop the cluster."""

    def status(self) -> str:
        """Say how the cluster is."""

    def is_running(self) -> bool:
        """Whether the cluster can be used."""

    def describe(self) -> Cluster:
        """Say where the cluster is."""


def backend() -> Backend:
    """Return the first that this environment and machine allow."""
    if given.is_named():
        return given
    if not paths.SUFFIX and not asks_for_the_embedded_one(os.environ) and _docker_engine_runs():
        return kind
    if sys.platform == "linux" and os.geteuid() == 0:
        return embedded
    raise NotSupported(
        "No way to run a cluster here. Any of these is enough:\n"
        "  - name an existing cluster: KUBECONFIG=… or MILL_CONTEXT=…\n"
        "  - start a Docker engine (`docker info` must succeed); kind is then used\n"
        "  - on Linux, run this as root; Kubernetes is then built and run on this machine"
    )


def asks_for_the_embedded_one(environment: Mapping[str, str]) -> bool:
    """Whether the environment says of the cluster what only the embedded one can be."""
    return any(environment.get(name) for name in _EMBEDDED_ALONE)


def _docker_engine_runs() -> bool:
    """Ask the engine: a docker client alone is of no use."""
    if not shutil.which("docker"):
        return False
    try:
        asked = subprocess.run(["docker", "info"], check=False, capture_output=True, timeout=20)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0
