"""An API server that takes half a second for each request: verdicts are right, only later, and nothing is repeated."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace
from tests.e2e.faults.link import Link, linked
from tests.e2e.gateway.process import GatewayProcess
from tests.e2e.replica import Replica
from tests.e2e.seed import FIXED, LINES, SEED
from tests.places.behind_link import gateway_behind, operator_behind

pytestmark = pytest.mark.alone

DELAY = 0.5
QUIET_SECONDS = 10.0


@pytest.fixture
def slow(cluster: Cluster, tmp_path: Path) -> Iterator[Link]:
    """The way to the API server, on which each request takes longer."""
    with linked(cluster, tmp_path, DELAY) as way:
        yield way


@pytest.fixture
def operator(cluster: Cluster, tmp_path: Path, slow: Link, namespace: Namespace) -> Iterator[Replica]:
    """An operator behind it, with an election, which is what suffers first."""
    election = {"MILL_LEADER_ELECTION": "true", "MILL_LEASE_NAMESPACE": namespace.name}
    with operator_behind(slow, cluster, tmp_path, namespace, **election) as made:
        yield made


@pytest.fixture
def gateway(cluster: Cluster, tmp_path: Path, slow: Link, namespace: Namespace) -> Iterator[GatewayProcess]:
    """A gateway behind it."""
    with gateway_behind(slow, cluster, tmp_path, namespace) as made:
        yield made


def requests(operator: Replica) -> float:
    """Return how many requests it has sent, those for its Lease left out."""
    samples = operator.samples("api_requests_total").items()
    return sum(count for (_, resource, _), count in samples if not resource.startswith("leases"))


def test_verdicts_are_right_and_nothing_is_repeated(
    namespace: Namespace, operator: Replica, gateway: GatewayProcess
) -> None:
    failed = namespace.deploy(SEED)
    assert (failed.stdout, failed.code) == (LINES, 1), failed.stderr
    fixed = namespace.deploy(FIXED)
    assert fixed.code == 0, fixed
    assert "  broken: healthy\n" in fixed.stdout
    assert namespace.mill("status").code == 0

    before = requests(operator)
    time.sleep(QUIET_SECONDS)
    assert requests(operator) - before <= 5, "nothing changes, so nothing is asked"
    assert operator.leads
    for log in (operator.log_file.read_text(), gateway.log):
        assert "ERROR" not in log
        assert "Traceback" not in log
    assert operator.sample("reconciles_total", "error") == operator.sample("reconciles_total", "api_error") == 0
