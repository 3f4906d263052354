"""Argo CD's processes: one program that acts by the name it is given."""

import gzip
import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hack import paths
from hack.argocd import git, objects
from hack.cluster import Cluster
from hack.cluster.packages import install
from hack.cluster.processes import Daemon, forget, start, wait_until
from hack.commands import CommandFailed, run
from hack.progress import step
from hack.toolchain.build import ARGOCD, build, module_directory

FOLDER: Final = paths.CLUSTER / "argocd"
_NAMES: Final = ("argocd-controller", "argocd-repo-server", "argocd-git", "argocd-redis")
_CONTROLLER, _REPO_SERVER, _REPO_METRICS, _GIT, _REDIS = 18082, 18081, 18084, 19418, 16379


@dataclass(frozen=True)
class ArgoCD:
    """What runs, and what may be asked of it."""

    cluster: Cluster

    def repository(self, name: str) -> git.Repository:
        """Make a repository that it can read."""
        return git.create(FOLDER, name, _GIT)

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
        told = run(
            *(ARGOCD.path, "admin", "settings", "resource-overrides", "health", file, "--argocd-cm-path", config),
            env={**os.environ, "ARGOCD_BINARY_NAME": "argocd", "KUBECONFIG": str(self.cluster.kubeconfig)},
        )
        lines = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
        return lines["STATUS"], lines["MESSAGE"]


def up(cluster: Cluster) -> ArgoCD:
    """Start it, with nothing in it."""
    build([ARGOCD])
    install({"redis-server": "redis-server", "git": "git"})
    down(cluster)
    for folder in ("served", "work", "redis", "repo"):
        (FOLDER / folder).mkdir(parents=True)
    with step("starting Argo CD"):
        objects.install(cluster, module_directory(ARGOCD))
        for daemon, port in _daemons(cluster):
            start(daemon)
            wait_until(daemon.name, lambda port=port: _listens(port))  # type: ignore[misc]
    return ArgoCD(cluster)


def down(cluster: Cluster) -> None:
    """End its processes, and remove it from the cluster."""
    for name in _NAMES:
        forget(name)
    shutil.rmtree(FOLDER, ignore_errors=True)
    for kind in (
        "namespace/argocd",
        *(f"crd/{name}.argoproj.io" for name in ("applications", "applicationsets", "appprojects")),
    ):
        try:
            run(*cluster.kubectl_command("delete", kind, "--ignore-not-found", "--timeout=60s"))
        except CommandFailed:
            run(*cluster.kubectl_command("delete", kind, "--ignore-not-found", "--wait=false"))


def _daemons(cluster: Cluster) -> list[tuple[Daemon, int]]:
    """Return what runs, each with the port that it listens on when it is ready."""
    program, redis = str(ARGOCD.path), f"127.0.0.1:{_REDIS}"
    environment = {
        "KUBECONFIG": str(cluster.kubeconfig),
        "ARGOCD_K8S_CLIENT_QPS": "200",
        "ARGOCD_GPG_ENABLED": "false",
        "TMPDIR": str(FOLDER / "repo"),
    }

    def role(name: str) -> dict[str, str]:
        return {**environment, "ARGOCD_BINARY_NAME": name}

    served = str(FOLDER / "served")
    return [
        (
            Daemon(
                "argocd-redis",
                (
                    "redis-server",
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    str(_REDIS),
                    "--save",
                    "",
                    "--dir",
                    str(FOLDER / "redis"),
                ),
            ),
            _REDIS,
        ),
        (
            Daemon(
                "argocd-git",
                (
                    *("git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"),
                    *(f"--port={_GIT}", f"--base-path={served}", served),
                ),
            ),
            _GIT,
        ),
        (
            Daemon(
                "argocd-repo-server",
                (
                    *(program, "--disable-tls", "--address", "127.0.0.1", "--port", str(_REPO_SERVER)),
                    *("--metrics-address", "127.0.0.1", "--metrics-port", str(_REPO_METRICS)),
                    *("--redis", redis, "--revision-cache-expiration", "1s"),
                ),
                role("argocd-repo-server"),
            ),
            _REPO_SERVER,
        ),
        (
            Daemon(
                "argocd-controller",
                (
                    *(program, "--namespace", objects.NAMESPACE, "--redis", redis),
                    *("--repo-server", f"127.0.0.1:{_REPO_SERVER}", "--repo-server-plaintext"),
                    *("--app-resync", "10", "--app-resync-jitter", "0", "--self-heal-timeout-seconds", "2"),
                    *("--metrics-port", str(_CONTROLLER)),
                ),
                role("argocd-application-controller"),
            ),
            _CONTROLLER,
        ),
    ]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
