"""Secrets, volumes, services, nodes and counts over HTTP, on the real cluster."""

import httpx

from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.seed import NODE

from .conftest import StartGateway
from .process import GatewayProcess

VALUE = "postgres://shop:hunter2-very-secret@db/shop"
FILE = """
service "db" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  env { URL = "${secret(db.url)}" }
  volume "data" {
    path = "/data"
    size = "10M"
  }
}
"""


def test_a_secret_is_set_used_shown_and_deleted_and_never_logged(
    namespace: Namespace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(MILL_LOG_LEVEL="DEBUG")
    where = {"namespace": namespace.name}
    with gateway.client(params=where) as http:
        assert http.get("/v1/secrets").json() == []
        assert http.put("/v1/secrets/db.url", json={"value": "first"}).status_code == 204
        assert http.put("/v1/secrets/db.url", json={"value": VALUE}).status_code == 204
        assert http.put("/v1/secrets/other", json={"value": ""}).status_code == 204
        assert http.get("/v1/secrets").json() == [{"name": "db.url"}, {"name": "other"}]
        assert http.get("/v1/secrets/db.url").json() == {"name": "db.url", "value": VALUE}
        deployed = http.post("/v1/deploy", content=FILE.replace("REGISTRY", namespace.registry))
        assert '"success": true' in deployed.text, deployed.text
        assert http.put("/v1/secrets/huge", json={"value": "x" * 1024 * 1024}).status_code == 413
        assert http.delete("/v1/secrets/db.url").status_code == 204
        assert http.delete("/v1/secrets/db.url").status_code == 404
        assert http.get("/v1/secrets").json() == [{"name": "other"}]
        _volumes(namespace, http)
    assert VALUE not in gateway.log
    assert "hunter2" not in gateway.log


def _volumes(namespace: Namespace, http: httpx.Client) -> None:
    """The volume is attached while its service runs, and data is deleted by nobody but who asks for it."""
    (data,) = http.get("/v1/volumes").json()
    assert (data["name"], data["state"], data["node"], data["size"]) == ("data", "attached", NODE, "10M")
    assert data["cloud_id"]
    refused = http.delete("/v1/volumes/data")
    assert (refused.status_code, refused.json()["error"]) == (409, "volume is attached")
    assert '"success": true' in http.post("/v1/deploy", params={"allowEmpty": "true"}, content="").text
    wait_for("the volume to be free", lambda: http.get("/v1/volumes").json()[0]["state"] == "ready")
    assert http.delete("/v1/volumes/data").status_code == 204
    wait_for("the claim to go", lambda: namespace.items("persistentvolumeclaims") == [])
    assert http.delete("/v1/volumes/data").status_code == 404


def test_services_nodes_and_counts_are_those_of_the_cluster(namespace: Namespace, gateway: GatewayProcess) -> None:
    web = 'service "web" {\n  image = "REGISTRY/web:1"\n  port = 8080\n  cpu = 0.02\n}\n'
    text = (web + web.replace('"web"', '"broken"').replace("web:1", "web:missing")).replace(
        "REGISTRY", namespace.registry
    )
    with gateway.client(params={"namespace": namespace.name}) as http:
        assert '"success": false' in http.post("/v1/deploy", content=text).text
        good, bad = http.get("/v1/services").json()
        (allocation,) = good["allocations"]
        assert (allocation["status"], allocation["node"]) == ("healthy", NODE)
        assert httpx.get(f"http://{allocation['address']}/", timeout=10).text.startswith("web 1 on ")
        assert (bad["reason"], bad["message"]) == ("TagNotFound", "image pull failed: tag not found")
        assert [each["status"] for each in bad["allocations"]] == ["failed"]
        (node,) = [each for each in http.get("/v1/nodes").json() if each["id"] == NODE]
        assert (node["status"], node["platform"]) == ("ready", "linux/amd64")
        assert 0 < node["cpu_available"] < node["cpu_total"]
        assert node["alloc_count"] >= 2
        counts = http.get("/v1/status").json()
        assert (counts["service_count"], counts["task_count"]) == (2, 0)
        assert counts["node_count"] >= 1
