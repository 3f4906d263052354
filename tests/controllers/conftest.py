"""What each file needs: the cluster with operator and gateway, and a namespace for each test."""

from collections.abc import Iterator

import pytest

from hack.cluster import Cluster
from tests.e2e.conftest import cluster, namespace, pytest_runtest_makereport
from tests.e2e.faults.operator_process import OperatorProcess

__all__ = ["cluster", "namespace", "pytest_runtest_makereport"]


@pytest.fixture(scope="module")
def operator(cluster: Cluster) -> Iterator[OperatorProcess]:
    """Give the operator to the tests of a file, and have one as usual afterwards."""
    process = OperatorProcess(cluster)
    try:
        yield process
    finally:
        process.restore()
