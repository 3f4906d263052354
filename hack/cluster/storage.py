"""Persistent volumes: folders of this machine, handed out by the controller manager's host-path provisioner."""

import json
from pathlib import Path
from typing import Final

from hack import paths
from hack.commands import run

# The provisioner has this path built in.
_PROVISIONED: Final = Path("/tmp/hostpath_pv")  # noqa: S108

_STORAGE_CLASS: Final = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    # The name that kind gives its own.
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "kubernetes.io/host-path",
    "reclaimPolicy": "Delete",
}


def prepare() -> None:
    """Let volumes be created below the cluster's own folder, so that they go away with it."""
    paths.VOLUMES.mkdir(parents=True)
    release()
    _PROVISIONED.symlink_to(paths.VOLUMES)


def create_default_class(kubectl: Path) -> None:
    """Create the StorageClass that claims without a class get."""
    run(kubectl, "--kubeconfig", paths.KUBECONFIG, "create", "-f", "-", stdin=json.dumps(_STORAGE_CLASS))


def release() -> None:
    """Take the link away if it is ours."""
    if _PROVISIONED.is_symlink() and _PROVISIONED.readlink() == paths.VOLUMES:
        _PROVISIONED.unlink()
