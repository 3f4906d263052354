"""Argo CD's processes: one program that acts by the name it is given."""

import gzip
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hack import paths
from hack.cluster import Cluster, network
from hack.cluster.packages import NotSupported, install
from hack.cluster.processes import Daemon
from hack.commands import run
from hack.gitops import git_server, guests
from hack.gitops.argocd import objects
from hack.gitops.repository import Repository, create
from hack.progress import step
from hack.toolchain.build import ARGOCD, build, module_directory

PROGRAMS: Final = (ARGOCD,)
PACKAGES: Final = MappingProxyType({"redis-server": "redis-server", "git": "git"})
FOLDER: Final = paths.CLUSTER / "argocd"
_CONTROLLER, _REPO_SERVER, _REPO_METRICS, _GIT, _REDIS = 18082, 18081, 18084, 19418, 16379


@dataclass(frozen=True)
class ArgoCD:
    """What runs, and what may be asked of it."""

    cluster: Cluster

    def repository(self, name: str) -> Repository:
        """Make a repository that it can read."""
        return create(FOLDER, name, _GIT)

    def tree(self, application: str) -> list[dict[str, Any]]:
        """Return the nodes of an application's resource tree, from where the user interface has them."""
        client = ["redis-cli", "-p", str(_REDIS)]
        keys = subprocess.run(
            [*client, "--raw", "KEYS", f"app|resources-tree|{application}|*"], capture_output=True, check=True
        )
        key = keys.stdout.decode().strip().partition("\n")[0]
        if not key:
            return []
        packed = subprocess.run([*client, "--raw", "GET", key], capture_output=True, check=True).stdout
        found = json.loads(gzip.decompress(packed.removesuffix(b"\n")))
        return list((found or {}).get("nodes") or ())

    def health(self, file: Path) -> tuple[str, str]:
        """Return status and message that its own code finds for a resource, by the health check in its settings."""
        config = FOLDER / "argocd-cm.yaml"
        config.write_text(json.dumps(objects.settings()))
        output = run(
            *(ARGOCD.path, "admin", "settings", "resource-overrides", "health", file, "--argocd-cm-path", config),
            env={**os.environ, "ARGOCD_BINARY_NAME": "argocd", "KUBECONFIG": str(self.cluster.kubeconfig)},
        )
        lines = dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)
        return lines["STATUS"], lines["MESSAGE"]


def up(cluster: Cluster) -> ArgoCD:
    """Start it, with nothing in it."""
    if cluster.kind_of != "embedded":
        raise NotSupported("Argo CD's processes run beside the embedded cluster only (docs/local-cluster.md)")
    build(PROGRAMS)
    install(PACKAGES)
    down(cluster)
    for folder in ("served", "work", "redis", "repo"):
        (FOLDER / folder).mkdir(parents=True)
    try:
        with step("starting Argo CD"):
            objects.install(cluster, module_directory(ARGOCD))
            network.close(_CONTROLLER)  # its metrics: the one address that cannot be configured
            guests.start_all(_daemons(cluster))
    except BaseException:
        down(cluster)
        raise
    return ArgoCD(cluster)


def down(cluster: Cluster) -> None:
    """End its processes, and remove it from the cluster."""
    guests.end_all(_daemons(cluster))
    network.reopen(_CONTROLLER)
    shutil.rmtree(FOLDER, ignore_errors=True)
    guests.release(cluster, objects.NAMESPACE, ["applications.argoproj.io"])
    kinds = (f"crd/{name}.argoproj.io" for name in ("applications", "applicationsets", "appprojects"))
    guests.remove(cluster, [f"namespace/{objects.NAMESPACE}", *kinds])


def _daemons(cluster: Cluster) -> guests.Daemons:
    """Return what runs."""
    program, redis = str(ARGOCD.path), f"127.0.0.1:{_REDIS}"
    environment = {
        "KUBECONFIG": str(cluster.kubeconfig),
        "ARGOCD_K8S_CLIENT_QPS": "200",
        "ARGOCD_GPG_ENABLED": "false",
        "TMPDIR": str(FOLDER / "repo"),
    }

    def guest(name: str, *argv: str, role: str = "") -> Daemon:
        named = {**environment, "ARGOCD_BINARY_NAME": role} if role else {}
        return Daemon(name, argv, named, guest=True)

    return [
        (
            guest(
                "argocd-redis",
                *("redis-server", "--bind", "127.0.0.1", "--port", str(_REDIS)),
                *("--save", "", "--dir", str(FOLDER / "redis")),
            ),
            _REDIS,
        ),
        (git_server.daemon("argocd-git", FOLDER / "served", _GIT), _GIT),
        (
            guest(
                "argocd-repo-server",
                *(program, "--disable-tls", "--address", "127.0.0.1", "--port", str(_REPO_SERVER)),
                *("--metrics-address", "127.0.0.1", "--metrics-port", str(_REPO_METRICS)),
                *("--redis", redis, "--revision-cache-expiration", "1s"),
                role="argocd-repo-server",
            ),
            _REPO_SERVER,
        ),
        (
            guest(
                "argocd-controller",
                *(program, "--namespace", objects.NAMESPACE, "--redis", redis),
                *("--repo-server", f"127.0.0.1:{_REPO_SERVER}", "--repo-server-plaintext"),
                *("--app-resync", "10", "--app-resync-jitter", "0", "--self-heal-timeout-seconds", "2"),
                *("--metrics-port", str(_CONTROLLER)),
                role="argocd-application-controller",
            ),
            _CONTROLLER,
        ),
    ]
