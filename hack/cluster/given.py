"""An existing cluster, named by the environment: used as it is, never started or stopped."""

import os
from pathlib import Path

from hack import paths
from hack.cluster import registry
from hack.cluster.handle import Cluster
from hack.cluster.kubectl import kubectl
from hack.commands import run
from hack.progress import say


def is_named() -> bool:
    """Whether the environment names a cluster. Our own kubeconfig, as `env` exports it, does not count."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    return bool(os.environ.get("MILL_CONTEXT") or kubeconfig) and kubeconfig != str(paths.KUBECONFIG)


def up() -> Cluster:
    """Return the cluster; its API server must answer."""
    cluster = describe()
    context = ("--context", cluster.context) if cluster.context else ()
    run(cluster.kubectl, "--kubeconfig", cluster.kubeconfig, *context, "get", "--raw", "/readyz")
    return cluster


def down() -> None:
    """Leave the cluster alone."""
    say("The cluster is named by KUBECONFIG or MILL_CONTEXT: it is not ours to stop.")


def status() -> str:
    """Return whether the cluster answers; an error says why it does not."""
    return f"cluster: {up().kubeconfig} answers"


def is_running() -> bool:
    """It is not ours to start, so it counts as running."""
    return True


def describe() -> Cluster:
    """Return the cluster that the environment names."""
    kubeconfig = Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    pushed_to = os.environ.get("MILL_REGISTRY", registry.ADDRESS)
    return Cluster("given", kubeconfig, os.environ.get("MILL_CONTEXT"), pushed_to, kubectl())
