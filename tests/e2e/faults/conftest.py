"""The operator in the test's hands, and what a rollout looks like that nothing disturbs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster
from hack.cluster.choose import backend
from tests.e2e.conftest import new_namespace, wait_for

from .clock import Clock
from .link import Link, linked
from .operator_process import OperatorProcess
from .scenario import AFTER, Outcome, Rollout, settled


@pytest.fixture(autouse=True)
def environment(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that a test makes find the cluster."""
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def embedded(cluster: Cluster) -> Iterator[None]:
    """Keep tests to the embedded cluster whose processes they pause and restart, and have it whole afterwards."""
    if cluster.kind_of != "embedded":
        pytest.skip("pauses or restarts processes of the embedded cluster")
    yield
    wait_for("the cluster to be whole again", backend().is_running)


@pytest.fixture
def operator(cluster: Cluster) -> Iterator[OperatorProcess]:
    """Give the operator to the test, and have one as usual afterwards."""
    process = OperatorProcess(cluster)
    try:
        yield process
    finally:
        process.restore()


@pytest.fixture
def link(cluster: Cluster, tmp_path: Path) -> Iterator[Link]:
    """A way to the API server that a test can cut; the operator takes it when it is started with its environment."""
    with linked(cluster, tmp_path) as way:
        yield way


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """A wall clock for the operator, when it is started with its environment."""
    return Clock(tmp_path)


@pytest.fixture(scope="session")
def undisturbed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """What the scenario comes to when nothing disturbs it."""
    with new_namespace(cluster, tmp_path_factory.mktemp("undisturbed")) as namespace:
        settled(namespace)
        yield Rollout(namespace, AFTER).outcome()
