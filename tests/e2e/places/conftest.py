"""The environment by which clients that a test makes find the cluster."""

import pytest

from hack.cluster import Cluster


@pytest.fixture(autouse=True)
def environment(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that a test makes find the cluster."""
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
