"""The release before, installed by its chart, a shop that it has deployed, and what clients see."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hack.cluster import Cluster
from hack.install.releases import PREVIOUS
from tests.e2e.chart.release import Release, release_in_a_namespace
from tests.e2e.conftest import (
    MILL,
    Finished,
    Namespace,
    Polling,
    cluster,
    new_namespace,
    polling,
    pytest_runtest_makereport,
    wait_for,
)

__all__ = ["cluster", "pytest_runtest_makereport"]

SHOP = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  replicas = 2
  cpu      = 0.02
  health { path = "/healthz" }
}
"""
SLOW = """
service "slow" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.02
  command = ["/web", "-start-after", "60s"]
  health {
    path              = "/healthz"
    interval          = "15s"
    failure_threshold = 10
  }
}
"""
"""A rollout that is still going on when operator and gateway have been replaced."""

NEWER = """
service "newer" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  live { path = "/healthz" }
}
"""
"""What the release before does not know: `live`."""


@pytest.fixture(scope="module")
def release(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The release before this one, installed."""
    with release_in_a_namespace(cluster, tmp_path_factory.mktemp("chart")) as made:
        made.upgrade(PREVIOUS.chart)
        yield made


@pytest.fixture(scope="module")
def shop(cluster: Cluster, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """A namespace with a shop, and with what the release before has as examples."""
    with new_namespace(cluster, tmp_path_factory.mktemp("shop")) as made:
        done = deploy(release, made, "mill", SHOP)
        assert done.code == 0, done
        for name, manifest in examples_of_the_release_before(made).items():
            manifest["metadata"]["name"] = name
            made.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
        yield made


def deploy(release: Release, shop: Namespace, name: str, text: str) -> Finished:
    """Deploy a text through the installed gateway."""
    return release.mill(*_deploy(shop, name, text))


@contextmanager
def deploying(release: Release, shop: Namespace, name: str, text: str) -> Iterator["subprocess.Popen[str]"]:
    """Have `mill deploy` follow its rollout through the installed gateway while the block runs."""
    with release.following(str(MILL), *_deploy(shop, name, text)) as following:
        wait_for(f"the rollout of {name}", lambda: shop.status(name).get("rollout", {}).get("id"))
        yield following


def _deploy(shop: Namespace, name: str, text: str) -> tuple[str, ...]:
    file = shop.folder / f"{name}.mill"
    file.write_text(text.replace("REGISTRY", shop.registry))
    return ("deploy", "-f", str(file), "--name", name, "--namespace", shop.name)


def examples_of_the_release_before(shop: Namespace) -> dict[str, dict[str, Any]]:
    """Return the MillDeployments of its examples, which reserve next to nothing: as they are, they fill a node of two
    cores, and the new pods of Mill would wait for ever.
    """
    found = {}
    for file in sorted((PREVIOUS.folder / "examples").glob("*.mill")):
        text = file.read_text().replace("registry.example", shop.registry)
        copy = shop.folder / file.name
        copy.write_text(text)
        made: dict[str, Any] = yaml.safe_load(shop.run(str(MILL), "render", str(copy)).stdout)
        for each in (*made["spec"]["services"], *made["spec"].get("tasks", ())):
            each["cpu"] = "20m"
        found[f"example-{file.stem}"] = made
    assert len(found) >= 4
    return found


@contextmanager
def requests(shop: Namespace) -> Iterator[Polling]:
    """Keep asking `web` by the address of its Service, each time over a new connection."""
    url = f"http://{shop.get('service', 'web')['spec']['clusterIP']}:8080/"

    def answers() -> bool:
        try:
            return httpx.get(url, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    wait_for("an answer", answers)
    with polling(url) as client:
        yield client


def stored(shop: Namespace) -> dict[str, dict[str, Any]]:
    """Return all MillDeployments by name."""
    return {each["metadata"]["name"]: each for each in shop.items("milldeployments")}


def generations(shop: Namespace) -> dict[str, int]:
    """Return the generation of each."""
    return {name: each["metadata"]["generation"] for name, each in stored(shop).items()}


def reconciled(shop: Namespace) -> bool:
    """Whether the status of each is about its spec as it is."""
    return all(
        each["metadata"]["generation"] == each.get("status", {}).get("observedGeneration")
        for each in stored(shop).values()
    )


def folder_of_this() -> Path:
    """Return the sources of this release."""
    return Path(__file__).parents[2]


def all_of(release: Release, before: list[str]) -> bool:
    """Whether all pods of operator and gateway are others than before."""
    pods = release.pods()
    return len(pods) == 4 and not set(pods) & set(before)
