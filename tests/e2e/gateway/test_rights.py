"""The gateway has exactly the rights that it uses: everything is done once, and compared with what is granted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hack.cluster import Cluster
from mill_gateway.rbac import ACCOUNT
from mill_kube.rights import SYSTEM_NAMESPACE
from tests.e2e.conftest import Namespace, wait_for

from .conftest import StartGateway, on_fake_nodes
from .process import GatewayProcess

pytestmark = pytest.mark.alone

FILE = """
service "db" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
task "migrate" {
  image = "REGISTRY/web:1"
  cpu   = 0.02
}
"""


@pytest.fixture
def fake(cluster: Cluster, tmp_path: Path) -> Iterator[Namespace]:
    """A namespace whose pods run on a fake node."""
    with on_fake_nodes(cluster, tmp_path, 1) as made:
        yield made
        made.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")


def test_it_has_exactly_the_rights_that_it_uses(
    namespace: Namespace, fake: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(MILL_DRAIN="true", MILL_KUBERNETES_TOKENS="on", MILL_ADMIN_TOKEN="everything-everywhere")
    _do_everything(gateway, namespace)
    _drain(gateway, fake)
    used = set()
    for verb, resource, code in _requests(gateway):
        assert code != "403", f"{verb} {resource}"
        used.add((verb, resource))
    granted = {(call.verb, call.target) for right in ACCOUNT.rights for call in right.calls()}
    assert granted - used == set(), "granted, and never used"
    assert used - granted == set(), "used, and not in the table"


def _do_everything(gateway: GatewayProcess, namespace: Namespace) -> None:
    where = {"namespace": namespace.name}
    with gateway.client(params=where, headers={"Authorization": "Bearer everything-everywhere"}) as http:
        content = FILE.replace("REGISTRY", namespace.registry)
        assert '"success": true' in http.post("/v1/deploy", content=content).text
        assert '"success": true' in http.post("/v1/deploy", content=content).text, "asked again"
        assert http.get("/v1/deployments/mill/revisions").status_code == 200
        # One that the watch does not know yet: it is read.
        assert http.get("/v1/deployments/mill/events", params={**where, "rollout": "9999"}).status_code == 404
        assert http.put("/v1/secrets/a", json={"value": "b"}).status_code == 204
        assert http.put("/v1/secrets/a", json={"value": "c"}).status_code == 204
        assert http.get("/v1/secrets/a").json()["value"] == "c"
        run = http.post("/v1/tasks/spawn", json={"task": "migrate"}).json()["id"]
        assert http.get("/v1/logs/migrate", params={**where, "follow": "false"}).status_code == 200
        assert http.delete(f"/v1/tasks/{run}").status_code == 204
        assert '"success": true' in http.delete("/v1/deployments/mill").text
        wait_for("the volume to be free", lambda: http.get("/v1/volumes").json()[0]["state"] == "ready")
        assert http.delete("/v1/volumes/data").status_code == 204
        assert http.get("/v1/metrics").status_code == 200
        assert http.get("/v1/services", params={"namespace": "does-not-exist"}).json()["code"] == "namespace_not_found"
        # Somebody whom Kubernetes knows.
        namespace.kubectl("create", "serviceaccount", "bot")
        token = namespace.kubectl("create", "token", "bot").strip()
        answer = http.get("/v1/deployments", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 403


def _drain(gateway: GatewayProcess, namespace: Namespace) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {"nodeName": "fake-1", "containers": [{"name": "a", "image": "a"}]},
    }
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}}
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [owner]}))
    uid = namespace.get("configmap", "owner")["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "controller": True}
    pod["metadata"]["ownerReferences"] = [reference]  # type: ignore[index]
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    with gateway.client(headers={"Authorization": "Bearer everything-everywhere"}) as http:
        wait_for("the pod", lambda: {each["id"]: each["pod_count"] for each in http.get("/v1/nodes").json()}["fake-1"])
        assert '"success": true' in http.post("/v1/nodes/fake-1/drain").text
        wait_for("the node to be free", lambda: http.delete("/v1/nodes/fake-1").status_code == 204)


def _requests(gateway: GatewayProcess) -> Iterator[tuple[str, str, str]]:
    answer = gateway.get("/v1/metrics", {"Authorization": "Bearer everything-everywhere"})
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name == "mill_gateway_api_requests_total":
                yield sample.labels["verb"], sample.labels["resource"], sample.labels["code"]


def test_it_runs_under_its_own_account(cluster: Cluster, namespace: Namespace) -> None:
    from hack.install import local_processes as local

    kubeconfig = local.environment_of("gateway", cluster)["KUBECONFIG"]
    who = namespace.run(str(cluster.kubectl), "--kubeconfig", kubeconfig, "auth", "whoami", "-o", "json").stdout
    name = json.loads(who)["status"]["userInfo"]["username"]
    assert name == f"system:serviceaccount:{SYSTEM_NAMESPACE}:{ACCOUNT.name}"
