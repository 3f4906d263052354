"""What left the file leaves the cluster, whoever wrote it before."""

import json

from .conftest import Namespace, wait_for

TWO = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
}

service "old" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.05
}
"""
ONE = TWO[: TWO.index('service "old"')]


def _objects(namespace: Namespace, service: str) -> list[str]:
    items = namespace.items("deployments,services,pods", "-l", f"mill.dev/service={service}")
    return [f"{each['kind']} {each['metadata']['name']}" for each in items]


def test_a_removed_service_is_gone_when_the_deploy_is_done(namespace: Namespace) -> None:
    assert namespace.deploy(TWO).code == 0
    before = namespace.ready_pods("web")
    done = namespace.deploy(ONE)
    lines = done.stdout.splitlines()
    assert done.code == 0
    assert lines[0] == "  old: stopped"
    assert lines[1].startswith("  deployed (")
    assert len(lines) == 2
    assert _objects(namespace, "old") == []
    assert namespace.ready_pods("web") == before


def test_a_removed_service_goes_though_another_fails(namespace: Namespace) -> None:
    assert namespace.deploy(TWO).code == 0
    done = namespace.deploy(ONE.replace("web:1", "web:missing"))
    assert done.code == 1
    assert "  old: stopped" in done.stdout.splitlines()
    assert _objects(namespace, "old") == []


def test_mill_deploy_replaces_what_kubectl_applied(namespace: Namespace) -> None:
    services = [
        {"name": name, "image": f"{namespace.registry}/web:1", "port": 8080, "cpu": "50m"} for name in ("web", "old")
    ]
    body = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill"},
        "spec": {"services": services},
    }
    namespace.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(body))
    namespace.kubectl("wait", "milldeployment/mill", "--for=condition=Ready", "--timeout=60s")
    assert namespace.deploy(ONE).code == 0
    spec = namespace.get("milldeployment", "mill")["spec"]
    assert [each["name"] for each in spec["services"]] == ["web"]
    assert _objects(namespace, "old") == []


def test_deleting_the_resource_deletes_everything(namespace: Namespace) -> None:
    assert namespace.deploy(TWO).code == 0
    namespace.kubectl("delete", "milldeployment", "mill", "--timeout=60s")
    wait_for("the children's end", lambda: not (_objects(namespace, "web") or _objects(namespace, "old")))


def test_an_object_of_somebody_else_is_left_alone(namespace: Namespace) -> None:
    namespace.kubectl("create", "deployment", "web", f"--image={namespace.registry}/web:2")
    before = namespace.get("deployment", "web")["metadata"]["uid"]
    done = namespace.deploy(ONE)
    assert done.code == 1
    assert done.stdout.splitlines()[0].startswith('  web: failed: Deployment "web" belongs to kubectl')
    after = namespace.get("deployment", "web")
    assert after["metadata"]["uid"] == before
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == f"{namespace.registry}/web:2"
