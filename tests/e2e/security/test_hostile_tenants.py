"""The operator goes on whatever a tenant, a program or a registry sends: its probe answers, and its Lease is kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace, new_namespace, wait_for
from tests.e2e.faulty_registry import faulty_registry
from tests.e2e.replica import Replica, elected, instead_of_the_operator, lease

from .vitals import assert_well, peak, probed, until

pytestmark = pytest.mark.alone

MEMORY_LIMIT = 512 * 1024 * 1024
"""The chart's."""
PUMPED = "pwd" * 682
"""What a quadratic or cubic pattern for names of credentials tries in all ways."""


@pytest.fixture(scope="module")
def operator(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """An operator that was elected."""
    folder = tmp_path_factory.mktemp("operator")
    with instead_of_the_operator(cluster, folder) as start:
        replica = start(**elected())
        replica.wait_until_ready()
        wait_for("its election", lambda: replica.leads)
        yield replica


def _holder(cluster: Cluster) -> tuple[str, int]:
    """Return who has the Lease, and how often it has changed hands."""
    spec = lease(cluster)
    return spec["holderIdentity"], spec["leaseTransitions"]


def _service(name: str, image: str, **more: object) -> dict[str, object]:
    return {"name": name, "image": image, "cpu": "20m", **more}


def _create(namespace: Namespace, services: list[dict[str, object]], name: str = "mill") -> None:
    resource = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": name},
        "spec": {"services": services},
    }
    namespace.kubectl("create", "-f", "-", stdin=json.dumps(resource))


def _await_bystander(cluster: Cluster, folder: Path) -> None:
    """Deploy something good elsewhere, and wait for its verdict."""
    with new_namespace(cluster, folder) as other:
        _create(other, [_service("web", f"{cluster.registry}/web:1", port=8080)])
        wait_for("the verdict on somebody else's", lambda: other.condition("Ready").get("status") == "True")


def test_hostile_last_words_and_registry_errors(namespace: Namespace, operator: Replica, cluster: Cluster) -> None:
    before = _holder(cluster)
    with faulty_registry(cluster.registry) as faulty, probed(f"http://127.0.0.1:{operator.port}/healthz") as seen:
        command = ["/web", "-print", PUMPED, "-exit-after", "1s"]
        crashing = [_service(f"crash-{n}", f"{cluster.registry}/web:1", command=command) for n in range(3)]
        refused = [_service(f"pull-{n}", f"{faulty}/verbose/{n}:1") for n in range(3)]
        _create(namespace, [*crashing, *refused])
        _await_bystander(cluster, namespace.folder)
        for each in (*crashing, *refused):
            name = str(each["name"])
            wait_for(f"the verdict on {name}", lambda name=name: namespace.service(name).get("state") == "Failed", 120)
    assert_well(seen)
    assert _holder(cluster) == before
    for each in namespace.status()["services"]:
        assert len(each["evidence"]) <= 2048
        assert each["message"].isprintable(), each["message"]
        assert all(line.isprintable() for line in each["evidence"].splitlines())
    assert namespace.service("pull-0")["reason"] != "", "the cause is found in so many words"


def _notes(namespace: Namespace) -> list[str]:
    """Return what is said in Events of failures."""
    return [each["message"] for each in namespace.items("events", "--field-selector=reason=ContainerExited")]


def test_hostile_characters_reach_nobody(namespace: Namespace, operator: Replica, cluster: Cluster) -> None:
    words = "\x1b]0;PWNED\x07 \u202etxt.exe \x9b2J\n2026-01-01T00:00:00.000Z ERROR mill_operator.controller: forged"
    _create(
        namespace,
        [_service("web", f"{cluster.registry}/web:1", command=["/web", "-print", words, "-exit-after", "1s"])],
    )
    wait_for("the verdict", lambda: namespace.service("web").get("state") == "Failed")
    wait_for("its Event", lambda: _notes(namespace))
    told = [json.dumps(namespace.status(), ensure_ascii=False), *_notes(namespace)]
    assert not set("\x1b\x07\u202e\x9b") & set("".join(told))
    assert all(each.isprintable() for each in _notes(namespace))
    assert "forged" in namespace.service("web")["evidence"], "only what does harm is left out"
    assert not [line for line in operator.log.splitlines() if not line.startswith("{")], "one JSON object a line"


def test_large_resources_and_endless_requests(namespace: Namespace, operator: Replica, cluster: Cluster) -> None:
    before = _holder(cluster)
    environment = {f"VARIABLE_{number:03}": "" for number in range(300)}
    services = [_service(f"s{n}", f"{cluster.registry}/web:1", replicas=0, env=environment) for n in range(60)]
    with probed(f"http://127.0.0.1:{operator.port}/healthz") as seen:
        for name in ("one", "two", "three", "four"):
            _create(namespace, services, name)
        annotate = ("annotate", "--overwrite", "milldeployment", "one")
        count = iter(range(10_000))
        asked = until(10, lambda: namespace.kubectl(*annotate, f"restart.mill.dev/s1={next(count)}"))
        _await_bystander(cluster, namespace.folder)
    assert_well(seen)
    assert _holder(cluster) == before
    assert asked > 0
    assert peak(operator.process.pid) < MEMORY_LIMIT


def test_a_duration_that_no_clock_can_hold_costs_nobody_else_a_verdict(
    namespace: Namespace, operator: Replica, cluster: Cluster
) -> None:
    resource = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill"},
        "spec": {
            "services": [_service("web", f"{cluster.registry}/web:1", port=8080)],
            "tasks": [{"name": "migrate", "image": f"{cluster.registry}/web:1", "timeout": "99999999999h"}],
        },
    }
    command = cluster.kubectl_command("--namespace", namespace.name, "apply", "-f", "-")
    done = namespace.run(*command, stdin=json.dumps(resource), check=False)
    if done.code == 0:  # what an earlier version of the CRD let in is judged as far as it can be
        wait_for("an end", lambda: namespace.condition("Ready").get("status") in {"True", "False"})
    else:
        assert "timeout" in done.stderr
    _await_bystander(cluster, namespace.folder)
