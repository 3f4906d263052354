"""The cluster with operator and gateway, a namespace for each test, and how clients of a test find the cluster."""

import pytest

from hack.cluster import Cluster
from tests.e2e.conftest import cluster, namespace, pytest_runtest_makereport
from tests.e2e.faults.conftest import operator

__all__ = ["cluster", "namespace", "operator", "pytest_runtest_makereport"]


@pytest.fixture(autouse=True)
def environment(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that a test makes find the cluster."""
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
