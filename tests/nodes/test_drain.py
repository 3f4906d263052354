"""A node is drained: its pods move within the budgets, requests go on, and no verdict is taken back."""

import pytest

from tests.e2e.conftest import Namespace, polling, wait_for
from tests.nodes.conftest import LEAVING, STAYING, budget, in_background, needs_two_nodes, places, watched
from tests.nodes.web import WEB, url

pytestmark = needs_two_nodes

SLOW = WEB.replace("  health {", '  command = ["/web", "--ready-after", "4s"]\n  health {').replace("web:1", "web:2")
DRAINS = {
    "mill": ("mill", "drain", LEAVING),
    "kubectl": ("kubectl", "drain", LEAVING, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s"),
}


MOVED = """\
  started
  web: stopped
  web: scheduled on node-1
  web: healthy
  web: migrated
"""


def drain(namespace: Namespace, program: str) -> str:
    """Drain the node; return what was printed."""
    _, *arguments = DRAINS[program]
    if program == "kubectl":
        return namespace.run(*namespace.cluster.kubectl_command(*arguments)).stdout
    done = namespace.mill(*arguments)
    assert done.code == 0, done
    return done.stdout


@pytest.mark.parametrize("program", DRAINS)
def test_replicas_move_within_the_budget_and_no_request_is_lost(namespace: Namespace, program: str) -> None:
    assert namespace.deploy(WEB).code == 0
    assert places(namespace, "web") == [STAYING, LEAVING]
    rollout = namespace.recorded_rollout()
    namespace.kubectl("apply", "-f", "-", stdin=budget("web", 1))
    wait_for("the budget", lambda: namespace.get("pdb", "web").get("status", {}).get("disruptionsAllowed") == 1)
    with polling(url(namespace)) as client, watched(namespace) as seen:
        printed = drain(namespace, program)
        wait_for("both replicas to be on the other node", lambda: places(namespace, "web") == [STAYING, STAYING])
        wait_for("the verdict", lambda: namespace.service("web")["state"] == "Healthy")
    if program == "mill":
        assert printed.rpartition("  drain complete")[0] == MOVED
    assert client.failures == []
    assert client.answers > 20
    assert seen.ready == ["True"]
    assert {state for state, _ in seen.services["web"]} <= {"Healthy", "Suspect"}
    assert namespace.status()["rollout"] == rollout


def test_a_budget_without_room_keeps_the_pods_and_says_so(namespace: Namespace) -> None:
    assert namespace.deploy(WEB).code == 0
    before = namespace.ready_pods("web")
    namespace.kubectl("apply", "-f", "-", stdin=budget("web", 2))
    wait_for("the budget", lambda: namespace.get("pdb", "web").get("status", {}).get("expectedPods") == 2)
    thread, results = in_background(lambda: namespace.mill("drain", LEAVING))
    wait_for("the node to be cordoned", lambda: namespace.get("node", LEAVING)["spec"].get("unschedulable"))
    thread.join(timeout=6)
    assert not results, "the drain did not wait"
    assert namespace.ready_pods("web") == before
    namespace.kubectl("delete", "pdb", "web")
    thread.join(timeout=90)
    (done,) = results
    assert done.code == 0, done
    assert "disruption budget" in done.stdout
    wait_for("both replicas to be on the other node", lambda: places(namespace, "web") == [STAYING, STAYING])


def test_a_drain_in_the_middle_of_a_rollout_does_not_fail_it(namespace: Namespace) -> None:
    assert namespace.deploy(WEB).code == 0
    with polling(url(namespace)) as client:
        thread, results = in_background(lambda: namespace.deploy(SLOW))
        wait_for("a pod of the new version", lambda: namespace.service("web")["state"] == "Starting")
        drain(namespace, "kubectl")
        thread.join(timeout=120)
    (done,) = results
    assert done.code == 0, done.stdout
    wait_for("all replicas to be on the other node", lambda: places(namespace, "web") == [STAYING, STAYING])
    assert {pod["spec"]["containers"][0]["image"][-1] for pod in namespace.pods("web")} == {"2"}
    assert client.answers > 20


def test_the_only_replica_is_away_for_a_moment_and_the_success_stays(namespace: Namespace) -> None:
    namespace.kubectl("cordon", STAYING)
    assert namespace.deploy(WEB.replace("= 2", "= 1")).code == 0
    assert places(namespace, "web") == [LEAVING]
    namespace.kubectl("uncordon", STAYING)
    rollout = namespace.recorded_rollout()
    with watched(namespace) as seen:
        drain(namespace, "kubectl")
        wait_for("the replica on the other node", lambda: places(namespace, "web") == [STAYING])
        wait_for("the verdict", lambda: namespace.service("web")["state"] == "Healthy")
    assert "Failed" not in {state for state, _ in seen.services["web"]}
    assert seen.ready == ["True"]
    assert namespace.status()["rollout"] == rollout
