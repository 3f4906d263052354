"""Argo CD for the whole run, and for each test an application with a repository and a namespace of its own."""

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hack.cluster import Cluster
from hack.gitops import argocd
from hack.gitops.argocd import ArgoCD, server_of
from hack.gitops.repository import Repository
from tests.e2e.chart.helm import CHART
from tests.e2e.conftest import NAMESPACE, Namespace, cluster, new_namespace, pytest_runtest_makereport, wait_for
from tests.gitops import shop

__all__ = ["cluster", "pytest_runtest_makereport"]

CUSTOMIZATIONS = CHART / "files/argocd/resource_customizations/mill.dev/MillDeployment"
"""The folder of the chart that has the form of one in Argo CD's own repository."""


@dataclass
class Application:
    """An application that syncs by itself, prunes and heals."""

    name: str
    namespace: Namespace
    repository: Repository
    argo: ArgoCD

    def commit(self, text: str) -> str:
        """Put a file into Git."""
        return shop.commit(self.namespace, self.repository, text)

    def get(self) -> dict[str, Any]:
        kubectl = self.namespace.cluster.kubectl_command(
            "--namespace", argocd.NAMESPACE, "get", "applications.argoproj.io"
        )
        answer = self.namespace.run(*kubectl, self.name, "-o", "json", "--ignore-not-found", check=False).stdout
        return json.loads(answer) if answer else {}

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Have every state that it goes through, as `Synced Healthy`, while the block runs."""
        states: list[str] = []
        command = self.namespace.cluster.kubectl_command(
            *("--namespace", argocd.NAMESPACE, "get", "applications.argoproj.io", self.name, "--watch"),
            *("-o", r"jsonpath={.status.sync.status} {.status.health.status}{'\n'}"),
        )
        over = threading.Event()
        watches: list[subprocess.Popen[str]] = []

        def follow() -> None:
            while not over.wait(0.2):  # again, when the API server has ended it
                with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
                    watches.append(watch)
                    states.extend(line.strip() for line in watch.stdout or ())

        reader = threading.Thread(target=follow, daemon=True)
        reader.start()
        try:
            yield states
        finally:
            over.set()
            for watch in watches:
                watch.terminate()
            reader.join(timeout=10)

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get().get("status", {})
        return found

    @property
    def health(self) -> str | None:
        return self.status.get("health", {}).get("status")

    def told(self) -> str:
        """What it says of the MillDeployment."""
        resources = self.status.get("resources", ())
        found = next((each for each in resources if each["kind"] == "MillDeployment"), {})
        message: str = found.get("health", {}).get("message", "")
        return message or self._in_tree()

    def _in_tree(self) -> str:
        nodes = self.argo.tree(self.name)
        found = next((each for each in nodes if each["kind"] == "MillDeployment"), {})
        message: str = found.get("health", {}).get("message", "")
        return message

    def reach(self, commit: str, health: str) -> float:
        """Wait until a commit is synced and the health is so; return seconds from the sync's end until then."""
        synced: list[float] = []

        def there() -> bool:
            status = self.status
            at_commit = status.get("sync", {}).get("revision") == commit and status["sync"]["status"] == "Synced"
            if at_commit and not synced:
                synced.append(time.monotonic())
            return at_commit and status.get("health", {}).get("status") == health

        wait_for(f"{health} at {commit[:8]}", there, seconds=120)
        return time.monotonic() - synced[0]


@pytest.fixture(scope="session")
def argo(cluster: Cluster) -> Iterator[ArgoCD]:
    """Argo CD."""
    started = argocd.up(cluster)
    yield started
    argocd.down(cluster)


@pytest.fixture(params=["annotation", "label"])
def application(
    argo: ArgoCD, cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Application]:
    """An application, once for each way in which Argo CD marks what it has made."""
    argocd.apply_settings(cluster, request.param)
    with new_namespace(cluster, tmp_path, prefix="e2e-argo") as namespace:
        request.node.stash[NAMESPACE] = namespace
        made = Application(namespace.name.replace("e2e-argo", "shop"), namespace, argo.repository(namespace.name), argo)
        yield made
        kubectl = cluster.kubectl_command(
            "--namespace", argocd.NAMESPACE, "delete", "applications.argoproj.io", made.name
        )
        namespace.run(*kubectl, "--ignore-not-found", "--timeout=60s", check=False)


def manifest(application: Application, **policy: Any) -> str:
    """The Application; `policy` is more of its `syncPolicy`."""
    server = server_of(application.namespace.cluster)
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": application.name,
                "namespace": argocd.NAMESPACE,
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": {
                "project": "default",
                "source": {"repoURL": application.repository.url, "targetRevision": "main", "path": shop.FOLDER},
                "destination": {"server": server, "namespace": application.namespace.name},
                "syncPolicy": {"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}, **policy},
            },
        }
    )
