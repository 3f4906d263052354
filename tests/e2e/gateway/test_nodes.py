"""Draining a node on the real API server, with fake nodes: budgets are honored, and nobody is left without words."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.seed import NODE
from tests.support import server_sent

from .conftest import StartGateway, on_fake_nodes
from .process import GatewayProcess

pytestmark = pytest.mark.alone

WEB = 'service "web" {\n  image = "REGISTRY/web:1"\n  port = 8080\n  replicas = 2\n  cpu = 0.02\n}\n'
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"mill.dev/service": "web"}}},
}


@pytest.fixture
def elsewhere(cluster: Cluster, tmp_path: Path) -> Iterator[Namespace]:
    """A namespace whose pods run on two fake nodes."""
    with on_fake_nodes(cluster, tmp_path, 2) as made:
        yield made
        made.kubectl("delete", "milldeployments,pods,poddisruptionbudgets", "--all", "--force", "--grace-period=0")
        wait_for("its pods to go", lambda: made.items("pods") == [])


class Draining:
    """A client that follows a drain."""

    def __init__(self, gateway: GatewayProcess, node: str) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._url = f"{gateway.url}/v1/nodes/{node}/drain"
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        with (
            suppress(httpx.RemoteProtocolError),  # cut off: the gateway has ended
            httpx.Client(timeout=60) as client,
            connect_sse(client, "POST", self._url) as stream,
        ):
            self.told += ((each.event, json.loads(each.data)) for each in server_sent.events(stream))

    def phases(self) -> list[str]:
        return [data.get("phase", "") for _, data in self.told]


def test_a_node_is_drained_as_its_budgets_allow_and_then_removed(
    elsewhere: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(MILL_DRAIN="true")
    with gateway.client() as http:
        content = WEB.replace("REGISTRY", elsewhere.registry)
        deployed = http.post("/v1/deploy", params={"namespace": elsewhere.name}, content=content)
        assert '"success": true' in deployed.text, deployed.text
        places = {pod["spec"]["nodeName"] for pod in elsewhere.pods("web")}
        assert places == {"fake-1", "fake-2"}
        loose = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "loose"},
            "spec": {"nodeName": "fake-1", "containers": [{"name": "a", "image": "a"}]},
        }
        budget_and_pod = {"apiVersion": "v1", "kind": "List", "items": [BUDGET, loose]}
        elsewhere.kubectl("apply", "-f", "-", stdin=json.dumps(budget_and_pod))
        wait_for("the budget", lambda: elsewhere.get("pdb", "web").get("status", {}).get("expectedPods") == 2)

        other = start_gateway(MILL_DRAIN="true")
        begun = Draining(other, "fake-1")
        wait_for("another gateway's drain to begin", lambda: "waiting" in begun.phases())
        other.stop()
        begun.thread.join(timeout=10)
        assert "done" not in [name for name, _ in begun.told]
        states = {each["id"]: each["status"] for each in http.get("/v1/nodes").json()}
        assert states["fake-1"] == "draining"

        first = Draining(gateway, "fake-1")
        wait_for("the budget to be honored", lambda: "waiting" in first.phases())
        time.sleep(3)  # longer than it takes to try again
        assert {pod["spec"]["nodeName"] for pod in elsewhere.pods("web")} == places
        second = Draining(gateway, "fake-1")
        elsewhere.kubectl("delete", "pdb", "web")
        first.thread.join(timeout=60)
        second.thread.join(timeout=60)
        assert first.told == second.told
        web = [data for _, data in first.told if data.get("service") == "web"]
        assert [each["phase"] for each in web] == ["waiting", "stopped", "scheduled", "healthy", "migrated"]
        assert "disruption budget" in web[0]["message"]
        assert web[2]["node"] == "fake-2"
        assert [data["pod"] for name, data in first.told if name == "failed"] == [f"{elsewhere.name}/loose"]
        assert (first.told[-1][0], first.told[-1][1]["success"]) == ("done", False)
        assert {pod["spec"]["nodeName"] for pod in elsewhere.pods("web")} == {"fake-2"}

        states = {each["id"]: each["status"] for each in http.get("/v1/nodes").json()}
        assert (states["fake-1"], states["fake-2"]) == ("draining", "ready")
        refused = http.delete("/v1/nodes/fake-1")
        assert (refused.status_code, refused.json()["error"]) == (409, "node has active allocations")
        elsewhere.kubectl("delete", "pod", "loose", "--force", "--grace-period=0")
        wait_for("the node to be free", lambda: http.delete("/v1/nodes/fake-1").status_code == 204)
        wait_for("the node to go", lambda: "fake-1" not in {each["id"] for each in http.get("/v1/nodes").json()})


def test_unless_it_is_turned_on_no_node_is_touched(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    with gateway.client() as http:
        assert http.post(f"/v1/nodes/{NODE}/drain").status_code == 403
        assert http.delete(f"/v1/nodes/{NODE}").status_code == 403
        assert [each["status"] for each in http.get("/v1/nodes").json() if each["id"] == NODE] == ["ready"]
