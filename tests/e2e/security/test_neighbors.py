"""A tenant who may write MillDeployments and nothing else gets nothing of what other users have."""

import json

import pytest

from tests.e2e.conftest import Namespace, wait_for

from .accounts import DEPLOYMENTS, Account, Rule, account


@pytest.fixture
def tenant(namespace: Namespace) -> Account:
    return account(namespace, "tenant", Rule(DEPLOYMENTS, ["get", "list", "create", "patch"]))


def write(tenant: Account, services: list[dict[str, object]], name: str = "mill") -> None:
    """Write a MillDeployment by the tenant's own rights."""
    namespace = tenant.namespace
    resource = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": name, "namespace": namespace.name},
        "spec": {"services": services},
    }
    caller = f"--as=system:serviceaccount:{namespace.name}:{tenant.name}"
    namespace.kubectl(caller, "apply", "-f", "-", stdin=json.dumps(resource))


def web(namespace: Namespace, name: str = "web", **more: object) -> dict[str, object]:
    return {"name": name, "image": f"{namespace.registry}/web:1", "port": 8080, "cpu": "20m", **more}


def selected(namespace: Namespace, service: str) -> list[object]:
    """Return the endpoints of a Service."""
    slices = namespace.items("endpointslices", "-l", f"kubernetes.io/service-name={service}")
    return [endpoint for each in slices for endpoint in each.get("endpoints") or ()]


def test_pods_join_no_service_of_others(namespace: Namespace, tenant: Account) -> None:
    for name, label in (("by-name", "name"), ("by-part", "part-of")):
        namespace.kubectl("create", "service", "clusterip", name, "--tcp=5432:8080")
        namespace.kubectl("set", "selector", "service", name, f"app.kubernetes.io/{label}=postgres")
    namespace.kubectl("create", "service", "clusterip", "control", "--tcp=5432:8080")
    namespace.kubectl("set", "selector", "service", "control", "mill.dev/service=postgres")
    write(tenant, [web(namespace, "postgres")], name="postgres")
    wait_for("the pod", lambda: namespace.ready_pods("postgres"))
    wait_for("an endpoint of the control", lambda: selected(namespace, "control"))
    assert selected(namespace, "by-name") == []
    assert selected(namespace, "by-part") == []
