"""A kind cluster with a local registry, for machines with a Docker engine. The commands are in kind.sh."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from hack import paths, versions
from hack.cluster import registry
from hack.cluster.handle import Cluster
from hack.cluster.kubectl import kubectl
from hack.commands import CommandFailed, run
from hack.toolchain.build import CRANE, KIND, build

_SCRIPT: Final = Path(__file__).with_name("kind.sh")
_NAME: Final = "mill-dev"
NODE: Final = f"{_NAME}-control-plane"
"""As kind names it."""


def up() -> Cluster:
    """Create the cluster and its registry unless they are there."""
    build([CRANE])
    paths.CLUSTER.mkdir(parents=True, exist_ok=True)
    _script("up")
    return describe()


def down() -> None:
    """Delete the cluster and its registry."""
    _script("down")
    shutil.rmtree(paths.CLUSTER, ignore_errors=True)


def status() -> str:
    """Return whether the API server answers."""
    return f"cluster: {'ready' if is_running() else 'not running'}"


def is_running() -> bool:
    """Whether the API server answers."""
    try:
        run(kubectl(), "--kubeconfig", paths.KUBECONFIG, "get", "--raw", "/readyz", timeout=10)
    except (CommandFailed, subprocess.TimeoutExpired):
        return False
    return True


def describe() -> Cluster:
    """Return where the cluster is, running or not."""
    return Cluster("kind", paths.KUBECONFIG, f"kind-{_NAME}", registry.ADDRESS, kubectl())


def _script(command: str) -> None:
    """Run the script with its output on the terminal: kind shows its own progress."""
    settings = {
        "KIND": str(_program()),
        "CLUSTER": _NAME,
        "REGISTRY": registry.ADDRESS,
        "REGISTRY_IMAGE": versions.REGISTRY_IMAGE,
        "KUBECONFIG": str(paths.KUBECONFIG),
    }
    subprocess.run(["sh", str(_SCRIPT), command], env={**os.environ, **settings}, check=True)


def _program() -> Path:
    found = shutil.which("kind")
    if found:
        return Path(found)
    build([KIND])
    return KIND.path
