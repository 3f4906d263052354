"""Two operators, of which one works: whoever ends, and however, users see what one operator would have told.

The replicas are processes of this machine. How long a take-over takes is counted in terms of the Lease.
"""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.cluster import Cluster
from tests.e2e.seed import NODE

from .conftest import Finished, Namespace, wait_for
from .replica import TERM, Replica, Start, elected, lease, measure, replicas, without_the_operator

pytestmark = pytest.mark.alone

SHORT_TERM = 6

TEXT = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
}

service "slow" {
  image   = "REGISTRY/web:1"
  port    = 8080
  cpu     = 0.05
  command = ["/web", "-ready-after", "5s"]
  health { path = "/healthz" }
}
"""
LINES = [
    f"  web:  scheduled on {NODE}",
    "  web:  healthy",
    f"  slow: scheduled on {NODE}",
    "  slow: healthy",
]


@pytest.fixture(scope="module", autouse=True)
def no_other(cluster: Cluster) -> Iterator[None]:
    """Stop the usual operator once for all tests, each of which starts its own."""
    with without_the_operator(cluster):
        yield


@pytest.fixture
def start(cluster: Cluster, tmp_path: Path) -> Iterator[Start]:
    """Start replicas instead of the usual operator."""
    with replicas(cluster, tmp_path) as start:
        yield start


class Deploy:
    """`mill deploy`, while the test does something else."""

    def __init__(self, namespace: Namespace, text: str) -> None:
        self._done: list[Finished] = []
        self._thread = threading.Thread(target=lambda: self._done.append(namespace.deploy(text)), daemon=True)
        self._thread.start()

    def result(self) -> Finished:
        self._thread.join(timeout=90)
        assert self._done, "mill deploy has not ended"
        return self._done[0]


def pair(start: Start, term: int) -> tuple[Replica, Replica]:
    """Start a leader, and one that waits."""
    leader = start(**elected(term))
    wait_for("the first to lead", lambda: leader.leads)
    standby = start(**elected(term))
    standby.wait_until_ready()
    assert not standby.leads
    return leader, standby


def begin(namespace: Namespace) -> Deploy:
    """Begin a rollout, and return when one of its services is healthy and the other is not."""
    deploy = Deploy(namespace, TEXT)
    wait_for("web", lambda: namespace.service("web").get("state") == "Healthy")
    assert namespace.service("slow")["state"] != "Healthy"
    return deploy


def assert_told_once(namespace: Namespace, done: Finished) -> None:
    """What a user sees is what one operator would have told."""
    lines = done.stdout.splitlines()
    assert (done.code, lines[:-1]) == (0, LINES), done
    assert lines[-1].startswith("  deployed (")
    services = namespace.status()["services"]
    numbered = [step["seq"] for service in services for step in service["transitions"]]
    numbered += [service["settlement"]["seq"] for service in services]  # the end of a window is no transition
    assert sorted(numbered) == list(range(1, len(numbered) + 1)), "no gap, no double"
    assert namespace.status()["rollout"]["success"] is True


def test_a_leader_that_is_killed_is_followed_within_its_term(
    cluster: Cluster, namespace: Namespace, start: Start
) -> None:
    leader, standby = pair(start, TERM)
    deploy = begin(namespace)
    assert leader.writes
    assert standby.writes == {}
    leader.send(signal.SIGKILL)
    waited = measure("take-over after SIGKILL", lambda: standby.leads)
    assert waited / TERM < 1.1
    assert_told_once(namespace, deploy.result())
    assert standby.writes
    assert lease(cluster)["leaseTransitions"] == 1


def test_a_leader_that_is_stopped_is_followed_at_once(cluster: Cluster, namespace: Namespace, start: Start) -> None:
    leader, standby = pair(start, TERM)
    deploy = begin(namespace)
    leader.send(signal.SIGTERM)
    waited = measure("take-over after SIGTERM", lambda: standby.leads)
    assert waited / TERM < 2 / 15, "nobody waits for who has left"
    assert leader.wait() == 0
    assert_told_once(namespace, deploy.result())
    assert lease(cluster)["leaseTransitions"] == 1


def test_a_standby_that_ends_is_not_noticed(cluster: Cluster, namespace: Namespace, start: Start) -> None:
    leader, standby = pair(start, TERM)
    holder = lease(cluster)["holderIdentity"]
    standby.send(signal.SIGTERM)
    assert standby.wait() == 0
    assert namespace.deploy(TEXT).code == 0
    assert leader.leads
    assert (lease(cluster)["holderIdentity"], lease(cluster)["leaseTransitions"]) == (holder, 0)


def test_a_leader_that_stood_still_writes_nothing_when_it_goes_on(
    cluster: Cluster, namespace: Namespace, start: Start
) -> None:
    leader, standby = pair(start, SHORT_TERM)
    deploy = begin(namespace)
    leader.send(signal.SIGSTOP)
    try:
        wait_for("take-over", lambda: standby.leads)
        assert_told_once(namespace, deploy.result())
        # Something that the one which stands still has not seen, and would have to act on.
        namespace.kubectl("delete", "deployment", "web", "--wait=false")
        wait_for("web's new Deployment", lambda: _is_available(namespace.get("deployment", "web")))
        wait_for("web", lambda: namespace.service("web")["state"] == "Healthy")
        namespace.recorded_rollout()
        before = _versions(namespace)
    finally:
        leader.send(signal.SIGCONT)
    assert leader.wait() == 1, "a code that makes Kubernetes start it again"
    assert "exiting: the lease was not renewed in time" in [each["message"] for each in leader.records()]
    assert _versions(namespace) == before
    assert standby.leads
    assert lease(cluster)["leaseTransitions"] == 1


def test_who_ends_is_started_again_and_waits_for_its_turn(cluster: Cluster, namespace: Namespace, start: Start) -> None:
    first, second = pair(start, SHORT_TERM)
    first.send(signal.SIGTERM)
    first.wait()
    wait_for("take-over", lambda: second.leads)
    third = start(**elected(SHORT_TERM))
    third.wait_until_ready()
    second.send(signal.SIGKILL)
    wait_for("take-over", lambda: third.leads)
    assert namespace.deploy(TEXT).code == 0
    assert lease(cluster)["leaseTransitions"] == 2


def _is_available(deployment: dict[str, Any]) -> bool:
    return bool(deployment.get("status", {}).get("availableReplicas"))


def _versions(namespace: Namespace) -> dict[str, str]:
    """The resource versions of everything that an operator writes."""
    items = namespace.items("milldeployments,deployments,services")
    return {f"{each['kind']} {each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in items}
