"""Argo CD for the whole run, and for each test an application with a repository and a namespace of its own."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hack import argocd
from hack.argocd import ArgoCD, Repository
from hack.argocd.objects import server_of
from hack.cluster import Cluster
from tests.e2e.conftest import MILL, Namespace, cluster, new_namespace, pytest_runtest_makereport, wait_for

__all__ = ["cluster", "pytest_runtest_makereport"]


@dataclass
class Application:
    """An application that syncs by itself, prunes and heals."""

    name: str
    namespace: Namespace
    repository: Repository
    argo: ArgoCD

    def commit(self, text: str, message: str = "change") -> str:
        """Put a file into Git, rendered as people would; `REGISTRY` in it stands for the registry."""
        file = self.namespace.folder / "shop.mill"
        file.write_text(text.replace("REGISTRY", self.namespace.registry))
        rendered = self.namespace.run(str(MILL), "render", str(file)).stdout
        return self.repository.commit({"app/mill.yaml": rendered}, message)

    def get(self) -> dict[str, Any]:
        kubectl = self.namespace.cluster.kubectl_command(
            "--namespace", argocd.NAMESPACE, "get", "applications.argoproj.io"
        )
        answer = self.namespace.run(*kubectl, self.name, "-o", "json", "--ignore-not-found").stdout
        return json.loads(answer) if answer else {}

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
    with new_namespace(cluster, tmp_path) as namespace:
        made = Application(namespace.name.replace("e2e", "shop"), namespace, argo.repository(namespace.name), argo)
        yield made
        kubectl = cluster.kubectl_command(
            "--namespace", argocd.NAMESPACE, "delete", "applications.argoproj.io", made.name
        )
        namespace.run(*kubectl, "--ignore-not-found", "--timeout=60s", check=False)


def manifest(application: Application) -> str:
    """The Application."""
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
                "source": {"repoURL": application.repository.url, "targetRevision": "main", "path": "app"},
                "destination": {"server": server, "namespace": application.namespace.name},
                "syncPolicy": {"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}},
            },
        }
    )
