"""A node is lost, with its containers still running: it is named, its pods are replaced, and it may come back."""

import re

from tests.e2e.conftest import Namespace, polling, wait_for
from tests.nodes.conftest import LEAVING, STAYING, is_ready, lost_node, needs_two_nodes, places, watched
from tests.nodes.web import WEB, url

pytestmark = needs_two_nodes

ONE = WEB.replace("= 2", "= 1")
OLD = """
service "old" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}
"""
PROBLEM = r" web: suspect for \d+s: node node-2 does not answer; it may still heal, and fails in \d+s otherwise"
HELP = "    help: Check the node: kubectl describe node node-2. Kubernetes replaces its pods after five minutes."


def _unknown(namespace: Namespace) -> None:
    wait_for("the node to count as lost", lambda: not is_ready(namespace, LEAVING), seconds=90)


def test_replicas_of_a_lost_node_are_replaced_and_the_others_serve(namespace: Namespace) -> None:
    assert namespace.deploy(WEB).code == 0
    assert places(namespace, "web") == [STAYING, LEAVING]
    rollout = namespace.recorded_rollout()
    with watched(namespace) as seen:
        with lost_node(namespace):
            _unknown(namespace)
            suspect = ("Suspect", f"node {LEAVING} does not answer")
            wait_for("the node's name in the status", lambda: suspect in seen.services.get("web", ()), seconds=60)
            with polling(url(namespace)) as client:
                wait_for("a replacement", lambda: places(namespace, "web") == [STAYING, STAYING], seconds=120)
                wait_for("the verdict", lambda: namespace.service("web")["state"] == "Healthy")
            assert client.failures == []
            assert client.answers > 20
        wait_for("the lost pod to go", lambda: len(namespace.pods("web")) == 2, seconds=60)
    assert places(namespace, "web") == [STAYING, STAYING]
    assert "Failed" not in {state for state, _ in seen.services["web"]}
    assert seen.ready == ["True"]
    assert namespace.status()["rollout"] == rollout


def test_a_deploy_while_a_node_is_lost_has_its_verdict(namespace: Namespace) -> None:
    assert namespace.deploy(WEB).code == 0
    with lost_node(namespace):
        _unknown(namespace)
        done = namespace.deploy(WEB.replace("web:1", "web:2"))
        assert done.code == 0, done.stdout
        assert places(namespace, "web") == [STAYING, STAYING]
        broken = namespace.deploy(WEB.replace("web:1", "web:missing"))
        assert broken.code == 1
        assert "  web: failed: image pull failed: tag not found" in broken.stdout.splitlines()
        assert places(namespace, "web") == [STAYING, STAYING]
    wait_for("the lost pod to go", lambda: _all_on(namespace, STAYING), seconds=60)


def test_the_only_replica_on_a_lost_node_comes_back_elsewhere(namespace: Namespace) -> None:
    namespace.kubectl("cordon", STAYING)
    assert namespace.deploy(ONE).code == 0
    namespace.kubectl("uncordon", STAYING)
    with lost_node(namespace):
        _unknown(namespace)
        wait_for("the node's name", lambda: namespace.service("web")["state"] == "Suspect", seconds=60)
        assert namespace.service("web")["message"] == f"node {LEAVING} does not answer"
        (problem, help_text) = namespace.mill("status").stdout.partition("PROBLEMS\n")[2].splitlines()
        assert re.fullmatch(PROBLEM, problem), problem
        assert help_text == HELP
        wait_for("the replica elsewhere", lambda: places(namespace, "web") == [STAYING], seconds=120)
        wait_for("the verdict", lambda: namespace.service("web")["state"] == "Healthy")
    wait_for("the lost pod to go", lambda: _all_on(namespace, STAYING), seconds=60)
    assert namespace.service("web")["state"] == "Healthy"


def test_a_service_that_is_removed_while_its_node_is_lost_ends_the_rollout_with_the_node_s_name(
    namespace: Namespace,
) -> None:
    namespace.kubectl("cordon", LEAVING)
    assert namespace.deploy(WEB).code == 0
    namespace.kubectl("uncordon", LEAVING)
    namespace.kubectl("cordon", STAYING)
    assert namespace.deploy(WEB + OLD).code == 0
    assert places(namespace, "old") == [LEAVING]
    namespace.kubectl("uncordon", STAYING)
    with lost_node(namespace):
        done = namespace.deploy(WEB)
        assert done.code == 1
        assert done.stdout.splitlines() == [
            f"  old: failed: not stopped: node {LEAVING} does not answer",
            "  deploy finished with errors",
        ]
        assert namespace.condition("Stalled")["reason"] == "NotStopped"
        (pod,) = namespace.items("pods", "-l", "mill.dev/service=old")
        assert "deletionTimestamp" in pod["metadata"]
    wait_for("the service to be gone", lambda: namespace.service("old").get("state") == "Stopped", seconds=60)
    assert namespace.condition("Ready")["status"] == "True"
    assert namespace.items("pods", "-l", "mill.dev/service=old") == []


def test_a_node_that_is_back_before_its_pods_are_replaced_costs_nothing(namespace: Namespace) -> None:
    assert namespace.deploy(WEB).code == 0
    before = namespace.ready_pods("web")
    with lost_node(namespace):
        _unknown(namespace)
        wait_for("the node's name", lambda: namespace.service("web")["state"] == "Suspect", seconds=60)
    wait_for("the verdict", lambda: namespace.service("web")["state"] == "Healthy", seconds=60)
    assert namespace.ready_pods("web") == before


def _all_on(namespace: Namespace, node: str) -> bool:
    return {pod["spec"].get("nodeName") for pod in namespace.pods("web")} == {node}
