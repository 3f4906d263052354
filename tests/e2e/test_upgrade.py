"""An operator that gives every service another pod template though no rollout was requested, as another release may."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hack.cluster import Cluster
from hack.install.rights import install_policies
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.replica import instead_of_the_operator

pytestmark = pytest.mark.alone

ACCOUNT = "programs"
SURGED = [f"web-{number:02}" for number in range(11)]
SERVICE = """
service "NAME" {
  image  = "REGISTRY/web:1"
  port   = 8080
  cpu    = 0.01
  memory = "16M"
VOLUME}
"""
VOLUME = '  volume "data" {\n    path = "/data"\n    size = "10M"\n  }\n'
FILE = "".join(
    [SERVICE.replace("NAME", "db").replace("VOLUME", VOLUME)]
    + [SERVICE.replace("NAME", name).replace("VOLUME", "") for name in SURGED]
)


def _is_updating(service: dict[str, Any]) -> bool:
    return "updatedBy" in service and "settledAt" not in service and service["state"] != "Failed"


class Upgrade:
    """What the status says while services are updated, each time that it is read."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.most = 0
        self.before_others: list[str] = []
        """Services that were not yet settled when the database had begun."""
        self.unready: list[str] = []
        """Reasons for which the resource was not Ready before the database had begun."""

    def poll(self) -> dict[str, dict[str, Any]]:
        status = self.namespace.status()
        services = {each["name"]: each for each in status["services"]}
        self.most = max(self.most, sum(map(_is_updating, services.values())))
        if "updatedBy" in services["db"]:
            self.before_others += [name for name in SURGED if "settledAt" not in services[name]]
        else:
            ready = next(each for each in status["conditions"] if each["type"] == "Ready")
            self.unready += [ready["message"]] if ready["status"] != "True" else []
        return services

    def has_begun(self) -> bool:
        return any("updatedBy" in each for each in self.poll().values())

    def is_over(self) -> bool:
        return all("updatedBy" in each and "settledAt" in each for each in self.poll().values())


@contextmanager
def pods_may_have(cluster: Cluster, account: str) -> Iterator[None]:
    """Let the policies accept a ServiceAccount of pods while the block runs, as `workloads.serviceAccount` does."""
    install_policies(cluster, account)
    try:
        yield
    finally:
        install_policies(cluster)


def test_services_are_updated_ten_at_a_time_also_across_a_kill_of_the_operator(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    namespace.kubectl("create", "serviceaccount", ACCOUNT)
    older = {"MILL_WATCH_NAMESPACE": namespace.name, "MILL_SETTLE": "1s"}
    newer = {**older, "MILL_SERVICE_ACCOUNT": ACCOUNT}
    with pods_may_have(cluster, ACCOUNT), instead_of_the_operator(cluster, tmp_path) as start:
        first = start(**older)
        first.wait_until_ready()
        assert namespace.deploy(FILE).code == 0
        rollout = namespace.recorded_rollout()
        first.send(signal.SIGTERM)
        first.wait()

        upgrade = Upgrade(namespace)
        second = start(**newer)
        wait_for("the first updates", upgrade.has_begun)
        second.send(signal.SIGKILL)
        second.wait()
        start(**newer)
        wait_for("all updates", upgrade.is_over, seconds=180)

        assert upgrade.most == 10
        assert upgrade.before_others == []
        assert upgrade.unready == []
        status = namespace.status()
        assert status["rollout"] == rollout
        assert status.get("history", []) == []
        assert {each["updatedBy"] for each in status["services"]} == {"mill 0.2"}
        accounts = {pod["spec"]["serviceAccountName"] for name in ("db", *SURGED) for pod in namespace.pods(name)}
        assert accounts == {ACCOUNT}
        wait_for("its Event", lambda: _updated_events(namespace))
        assert _updated_events(namespace) == ["Updated by mill 0.2"]
        assert namespace.condition("Ready")["status"] == "True"


def _updated_events(namespace: Namespace) -> list[str]:
    return [each["message"] for each in namespace.items("events", "--field-selector", "reason=Updated")]
