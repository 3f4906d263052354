"""Flux's processes."""

import shutil
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hack import paths
from hack.cluster import Cluster
from hack.cluster.packages import NotSupported, install
from hack.cluster.processes import Daemon
from hack.gitops import git_server, guests
from hack.gitops.flux import objects
from hack.gitops.repository import Repository, create
from hack.progress import step
from hack.toolchain.build import HELM_CONTROLLER, KUSTOMIZE_CONTROLLER, SOURCE_CONTROLLER, build, module_directory

PROGRAMS: Final = (SOURCE_CONTROLLER, KUSTOMIZE_CONTROLLER, HELM_CONTROLLER)
PACKAGES: Final = MappingProxyType({"git": "git"})
FOLDER: Final = paths.CLUSTER / "flux"
_GIT, _ARTIFACTS, _SOURCE, _KUSTOMIZE, _HELM = 19518, 19090, 19440, 19441, 19442


@dataclass(frozen=True)
class Flux:
    """What runs, and what may be asked of it."""

    cluster: Cluster

    def repository(self, name: str) -> Repository:
        """Make a repository that it can read."""
        return create(FOLDER, name, _GIT)


def up(cluster: Cluster) -> Flux:
    """Start it, with nothing in it."""
    if cluster.kind_of != "embedded":
        raise NotSupported("Flux's processes run beside the embedded cluster only (docs/local-cluster.md)")
    build(PROGRAMS)
    install(PACKAGES)
    down(cluster)
    for folder in ("served", "work", "artifacts", "temporary"):
        (FOLDER / folder).mkdir(parents=True)
    try:
        with step("starting Flux"):
            objects.install(cluster, [module_directory(each) for each in PROGRAMS])
            guests.start_all(_daemons(cluster))
    except BaseException:
        down(cluster)
        raise
    return Flux(cluster)


def down(cluster: Cluster) -> None:
    """End its processes, and remove it from the cluster."""
    guests.end_all(_daemons(cluster))
    shutil.rmtree(FOLDER, ignore_errors=True)
    guests.release(cluster, objects.NAMESPACE, objects.KINDS)
    guests.remove(cluster, [f"namespace/{objects.NAMESPACE}", *(f"crd/{kind}" for kind in objects.KINDS)])


def _daemons(cluster: Cluster) -> guests.Daemons:
    """Return what runs."""
    temporary = str(FOLDER / "temporary")
    environment = {
        "KUBECONFIG": str(cluster.kubeconfig),
        "RUNTIME_NAMESPACE": objects.NAMESPACE,
        "TMPDIR": temporary,
        "TUF_ROOT": temporary,
    }

    def controller(program: str, health: int, *argv: str) -> Daemon:
        addresses = ("--metrics-addr=0", f"--health-addr=127.0.0.1:{health}")
        return Daemon(program.rpartition("/")[2], (program, *addresses, *argv), environment, guest=True)

    artifacts = f"127.0.0.1:{_ARTIFACTS}"
    storage = (
        f"--storage-path={FOLDER / 'artifacts'}",
        f"--storage-addr={artifacts}",
        f"--storage-adv-addr={artifacts}",
    )
    return [
        (git_server.daemon("flux-git", FOLDER / "served", _GIT), _GIT),
        (controller(str(SOURCE_CONTROLLER.path), _SOURCE, *storage), _ARTIFACTS),
        (controller(str(KUSTOMIZE_CONTROLLER.path), _KUSTOMIZE), _KUSTOMIZE),
        (controller(str(HELM_CONTROLLER.path), _HELM), _HELM),
    ]
