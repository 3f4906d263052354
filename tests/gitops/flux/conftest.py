"""Flux for the whole run, and for each test a Kustomization with a repository and a namespace of its own."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster import Cluster
from hack.gitops import flux, guests
from hack.gitops.flux import Flux
from hack.gitops.repository import Repository
from tests.e2e.conftest import NAMESPACE, Namespace, cluster, new_namespace, pytest_runtest_makereport, wait_for
from tests.gitops import shop

__all__ = ["cluster", "pytest_runtest_makereport"]

CHART = Path(__file__).parents[3] / "examples" / "gitops" / "chart"


@dataclass
class Kustomization:
    """What Flux syncs: it waits for the verdict, and removes what leaves Git."""

    namespace: Namespace
    repository: Repository

    @property
    def name(self) -> str:
        return self.namespace.name

    def commit(self, text: str) -> str:
        """Put a file into Git."""
        return shop.commit(self.namespace, self.repository, text)

    def start(self, **spec: Any) -> None:
        """Have Flux sync it; `spec` is more of what it is told."""
        made = {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": self.name, "namespace": flux.NAMESPACE},
            "spec": {
                "interval": f"{flux.INTERVAL}s",
                "retryInterval": f"{flux.INTERVAL}s",
                "timeout": "15m",
                "targetNamespace": self.namespace.name,
                "path": shop.FOLDER,
                "prune": True,
                "wait": True,
                "sourceRef": {"kind": "GitRepository", "name": self.name},
                **spec,
            },
        }
        guests.apply(self.namespace.cluster, [flux.source(self.name, self.repository.url), made])

    def remove(self) -> None:
        """Have Flux remove what it has made, and forget it."""
        for kind in (flux.KUSTOMIZATIONS, flux.GIT_REPOSITORIES):
            self._kubectl("delete", kind, self.name, "--ignore-not-found", "--timeout=60s")

    @property
    def status(self) -> dict[str, Any]:
        answer = self._kubectl("get", flux.KUSTOMIZATIONS, self.name, "-o", "json", "--ignore-not-found")
        status: dict[str, Any] = json.loads(answer).get("status", {}) if answer else {}
        return status

    def reach(self, commit: str, ready: str) -> tuple[dict[str, Any], float]:
        """Wait for a verdict on a commit; return `Ready`, and the seconds from when it was tried until then."""
        tried: list[float] = []

        def there() -> dict[str, Any] | None:
            status = self.status
            if not status.get("lastAttemptedRevision", "").endswith(commit):
                return None
            if not tried:
                tried.append(time.monotonic())
            found = ready_of(status)
            return found if found.get("status") == ready else None

        condition = wait_for(f"Ready={ready} at {commit[:8]}", there, seconds=120)
        return condition, time.monotonic() - tried[0]

    def _kubectl(self, *argv: str) -> str:
        command = self.namespace.cluster.kubectl_command("--namespace", flux.NAMESPACE, *argv)
        return self.namespace.run(*command).stdout


def ready_of(status: dict[str, Any]) -> dict[str, Any]:
    """Return the condition `Ready`, if there is one."""
    return next((each for each in status.get("conditions", ()) if each["type"] == "Ready"), {})


@dataclass
class HelmRelease:
    """What Flux installs: the example's chart, from Git."""

    namespace: Namespace
    repository: Repository

    def commit(self, message: str) -> str:
        """Put the chart into Git."""
        files = [file for file in CHART.rglob("*") if file.is_file()]
        return self.repository.commit({f"chart/{file.relative_to(CHART)}": file.read_text() for file in files}, message)

    def put(self, **values: Any) -> int:
        """Have Flux install it with these values, as the example says, and soon. Return the generation."""
        made = yaml.safe_load((CHART.parent / "flux" / "helmrelease.yaml").read_text())
        made["metadata"]["namespace"] = self.namespace.name
        spec = made["spec"]
        spec["interval"] = f"{flux.INTERVAL}s"
        spec["chart"]["spec"]["sourceRef"]["name"] = self.namespace.name
        spec["values"] = {"registry": self.namespace.registry, **values}
        guests.apply(self.namespace.cluster, [flux.source(self.namespace.name, self.repository.url), made])
        return int(self.get()["metadata"]["generation"])

    def get(self) -> dict[str, Any]:
        return self.namespace.get(flux.HELM_RELEASES, "shop")

    def conditions(self, generation: int) -> dict[str, dict[str, Any]]:
        """Return those of its conditions that are about this generation."""
        found = self.get().get("status", {}).get("conditions", ())
        return {each["type"]: each for each in found if each.get("observedGeneration") == generation}

    def remove(self) -> None:
        """Have Flux remove what it has made, and forget it."""
        self.namespace.kubectl("delete", flux.HELM_RELEASES, "shop", "--ignore-not-found", "--timeout=60s")
        source = ("delete", flux.GIT_REPOSITORIES, self.namespace.name, "--namespace", flux.NAMESPACE)
        self.namespace.run(*self.namespace.cluster.kubectl_command(*source, "--ignore-not-found", "--timeout=60s"))


@pytest.fixture(scope="session")
def running(cluster: Cluster) -> Iterator[Flux]:
    """Flux."""
    started = flux.up(cluster)
    yield started
    flux.down(cluster)


@pytest.fixture
def kustomization(
    running: Flux, cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Kustomization]:
    """A Kustomization."""
    with new_namespace(cluster, tmp_path, prefix="e2e-flux") as namespace:
        request.node.stash[NAMESPACE] = namespace
        made = Kustomization(namespace, running.repository(namespace.name))
        yield made
        made.remove()


@pytest.fixture
def helm_release(
    running: Flux, cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[HelmRelease]:
    """A HelmRelease."""
    with new_namespace(cluster, tmp_path, prefix="e2e-flux") as namespace:
        request.node.stash[NAMESPACE] = namespace
        made = HelmRelease(namespace, running.repository(namespace.name))
        yield made
        made.remove()
