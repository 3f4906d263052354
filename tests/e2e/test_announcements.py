"""What `kubectl describe md` shows of the past: each verdict, once."""

from collections import Counter

import pytest

from hack.install import local_processes as local

from .conftest import Namespace, wait_for

pytestmark = pytest.mark.alone

SEED = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
}

service "broken" {
  image = "REGISTRY/web:missing"
  port  = 8080
  cpu   = 0.05
}
"""
MISSING = ("Warning", "TagNotFound", "broken has failed: image pull failed: tag not found")


def told(namespace: Namespace) -> Counter[tuple[str, ...]]:
    """The lines below `Events:`, of ours."""
    _, _, events = namespace.kubectl("describe", "milldeployment", "mill").partition("\nEvents:\n")
    lines = [line.split(maxsplit=4) for line in events.splitlines() if "mill.dev/operator" in line]
    return Counter((kind, reason, message) for kind, reason, _, _, message in lines)


def test_each_verdict_is_told_once_through_retries_and_a_restart_of_the_operator(namespace: Namespace) -> None:
    assert namespace.deploy(SEED).code == 1
    wait_for("the end of its window", lambda: namespace.service("web").get("settledAt"))
    assert namespace.deploy(SEED).code == 1
    local.start(namespace.cluster)
    assert namespace.deploy(SEED.replace("web:missing", "web:2")).code == 0
    rollout, *past = [namespace.status()["rollout"]["id"], *(each["id"] for each in namespace.status()["history"])]
    expected: Counter[tuple[str, ...]] = Counter(
        [
            ("Normal", "Healthy", "web is healthy"),
            ("Normal", "Healthy", "broken is healthy"),
            ("Normal", "RolloutStarted", f"rollout {rollout} has started"),
            ("Normal", "RolloutSucceeded", f"rollout {rollout} has succeeded: 2 of 2 healthy"),
        ]
    )
    for each in past:
        failure = f"rollout {each} has finished with errors: 1 of 2 failed: {MISSING[2].replace(' has failed', '')}"
        expected[MISSING] += 1
        expected["Normal", "RolloutStarted", f"rollout {each} has started"] += 1
        expected["Warning", "RolloutFailed", failure] += 1
    assert len(past) == 2
    wait_for("the last event", lambda: sum(told(namespace).values()) >= sum(expected.values()))
    assert told(namespace) == expected
