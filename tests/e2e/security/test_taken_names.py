"""A tenant who may write MillDeployments only gets nothing of objects that are not the MillDeployment's own."""

import json
from typing import Any

from tests.e2e.conftest import Namespace, wait_for

from .accounts import DEPLOYMENTS, Rule, account


def _create_as_tenant(namespace: Namespace, *services: dict[str, Any]) -> None:
    tenant = account(namespace, "tenant", Rule(DEPLOYMENTS, ["get", "list", "create", "patch"]))
    body = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill"},
        "spec": {
            "services": [
                {"cpu": "20m", "image": f"{namespace.registry}/web:1", "port": 8080, **service} for service in services
            ]
        },
    }
    user = f"system:serviceaccount:{namespace.name}:{tenant.name}"
    assert namespace.kubectl("auth", "can-i", "create", "pods", "--as", user, check=False).strip() == "no"
    namespace.kubectl("create", "--as", user, "-f", "-", stdin=json.dumps(body))


def _failure(namespace: Namespace, service: str) -> tuple[str, str]:
    found = wait_for("the verdict", lambda: (one := namespace.service(service)).get("state") == "Failed" and one)
    return str(found["reason"]), str(found["message"])


def test_a_claim_of_others_is_not_mounted(namespace: Namespace) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    victim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "victim-data"},
        "spec": spec,
    }
    namespace.kubectl("create", "-f", "-", stdin=json.dumps(victim))
    volume = {"name": "victim-data", "path": "/data", "size": "1Mi"}
    _create_as_tenant(namespace, {"name": "thief", "volumes": [volume]})
    reason, message = _failure(namespace, "thief")
    assert (reason, message) == ("NameTaken", 'PersistentVolumeClaim "victim-data" belongs to kubectl-create')
    assert namespace.items("deployments,replicasets,pods,services") == []
    assert "mill" not in json.dumps(namespace.get("pvc", "victim-data")["metadata"].get("labels", {}))


def test_no_ingress_leads_to_a_service_of_others(namespace: Namespace) -> None:
    namespace.kubectl("create", "service", "clusterip", "internal-admin", "--tcp=9000:9000")
    before = namespace.get("service", "internal-admin")
    route = {"host": "attacker.example.com", "path": "/"}
    _create_as_tenant(namespace, {"name": "internal-admin", "port": 9000, "routes": [route]})
    reason, message = _failure(namespace, "internal-admin")
    assert (reason, message) == ("NameTaken", 'Service "internal-admin" belongs to kubectl-create')
    assert namespace.items("ingresses,deployments,pods") == []
    assert namespace.get("service", "internal-admin") == before


def test_no_program_gets_the_address_of_a_service_of_others(namespace: Namespace) -> None:
    namespace.kubectl("create", "service", "clusterip", "db", "--tcp=5432:5432")
    client = {"name": "web", "env": {"DATABASE_URL": "postgres://app@${service.db.address}/app"}}
    _create_as_tenant(namespace, client, {"name": "db", "port": 5432})
    reason, message = _failure(namespace, "web")
    assert reason == "NameTaken"
    assert message == 'Service "db" belongs to kubectl-create, and the environment has its address'
    assert _failure(namespace, "db") == ("NameTaken", 'Service "db" belongs to kubectl-create')
    assert namespace.items("deployments,pods") == []
    namespace.kubectl("delete", "service", "db")
    wait_for("both", lambda: len(namespace.items("deployments")) == 2)
