"""Things that happen while the operator does not look: it finds the difference when it looks again."""

import contextlib
import signal
from collections.abc import Callable
from typing import Any

import pytest

from hack.cluster import processes
from tests.e2e.conftest import Namespace, wait_for

from .bystanders import recorded
from .link import WATCH_OF_MILL_DEPLOYMENTS, Link
from .operator_process import OperatorProcess
from .scenario import AFTER, KEPT, Outcome, Rollout, children, settled

pytestmark = pytest.mark.alone

STORE = """
service "store" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
"""
OTHER = KEPT.replace("kept", "other")

Interruption = Callable[[], contextlib.AbstractContextManager[None]]


@pytest.fixture(params=["down", "paused", "deaf"])
def unseeing(request: pytest.FixtureRequest, operator: OperatorProcess) -> Interruption:
    """Keep the operator from seeing what becomes of MillDeployments: it is not there, stands still, or is cut off."""
    if request.param == "down":
        return operator.down
    if request.param == "paused":
        return operator.paused
    link: Link = request.getfixturevalue("link")
    operator.start(link.environment)
    return lambda: link.cut(WATCH_OF_MILL_DEPLOYMENTS)


def test_a_service_leaves_the_file_while_the_operator_is_down(
    namespace: Namespace, operator: OperatorProcess, undisturbed: Outcome
) -> None:
    settled(namespace)
    with operator.down():
        rollout = Rollout(namespace, AFTER)
        assert "Deployment old" in children(namespace)
    assert rollout.outcome() == undisturbed


def test_what_is_deleted_unseen_is_not_made_again(namespace: Namespace, unseeing: Interruption) -> None:
    settled(namespace, KEPT + STORE)
    claim = _uid(namespace, "persistentvolumeclaim/data")
    with recorded(namespace) as record:
        with unseeing():
            namespace.kubectl("delete", "milldeployment", "mill", "--timeout=60s")
            wait_for("the garbage collector", lambda: children(namespace).keys() == {"PersistentVolumeClaim data"})
        # Whoever has deployed this has seen everything before it.
        assert namespace.deploy(OTHER, "--name", "other").code == 0
    assert sorted(record.added) == ["Deployment other", "Service other"]
    assert children(namespace).keys() == {"PersistentVolumeClaim data"}
    assert _uid(namespace, "persistentvolumeclaim/data") == claim
    wait_for("its last pods to end", lambda: not namespace.items("pods", "-l", "mill.dev/deployment=mill"))


@pytest.mark.usefixtures("embedded")
def test_a_new_resource_has_the_name_of_one_whose_objects_are_still_there(namespace: Namespace) -> None:
    """The garbage collector comes late. What it is to take away is no part of the new one; the data is."""
    settled(namespace, KEPT + STORE)
    claim, before = _uid(namespace, "persistentvolumeclaim/data"), namespace.get("milldeployment/mill")
    processes.send("kube-controller-manager", signal.SIGSTOP)
    try:
        namespace.kubectl("delete", "milldeployment", "mill", "--timeout=60s")
        rollout = Rollout(namespace, KEPT + STORE)
        wait_for("the operator to look at it", namespace.status)
    finally:
        processes.send("kube-controller-manager", signal.SIGCONT)
    seen = rollout.outcome()
    assert seen.kstatus == "Current"
    assert {name: [each.get("phase") for each in events] for name, events in seen.events.items()} == {
        "kept": ["scheduled", "healthy"],
        "store": ["scheduled", "healthy"],
        "": [None],
    }
    now = namespace.get("milldeployment/mill")
    assert now["metadata"]["uid"] != before["metadata"]["uid"]
    for each in namespace.items("deployments,services"):
        assert [owner["uid"] for owner in each["metadata"]["ownerReferences"]] == [now["metadata"]["uid"]]
    assert _uid(namespace, "persistentvolumeclaim/data") == claim


def _uid(namespace: Namespace, *argv: str) -> Any:
    return namespace.get(*argv)["metadata"]["uid"]
