"""A tenant who may write MillDeployments and nothing else gets nothing of what other users have."""

import contextlib
import json
import re
from pathlib import Path

import pytest

from hack.cluster import Cluster
from tests.e2e.conftest import Namespace, new_namespace, wait_for
from tests.e2e.replica import instead_of_the_operator

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


def routes(namespace: Namespace) -> dict[str, list[str]]:
    """Return the routes of each Ingress."""
    return {
        each["metadata"]["name"]: [
            f"{rule['host']}{path['path']}" for rule in each["spec"]["rules"] for path in rule["http"]["paths"]
        ]
        for each in namespace.items("ingresses")
    }


def failure(namespace: Namespace, name: str) -> str:
    """Return the code of the only service of a MillDeployment, if it has failed."""
    found = namespace.service_of(name, name)
    return found.get("reason", "") if found.get("state") == "Failed" else ""


def annotate(namespace: Namespace, *annotations: str) -> None:
    command = ("annotate", "--overwrite", "namespace", namespace.name, *annotations)
    namespace.run(*namespace.cluster.kubectl_command(*command))


def routed(namespace: Namespace, name: str, *hosts: str, **more: object) -> list[dict[str, object]]:
    return [web(namespace, name, routes=[{"host": each} for each in hosts], **more)]


def test_hosts_are_those_that_the_namespace_allows(namespace: Namespace, tenant: Account) -> None:
    annotate(namespace, f"mill.dev/allowed-hosts=*.{namespace.name}.example.com")
    host, other = f"www.{namespace.name}.example.com", f"victim-{namespace.name}.example.com"
    write(tenant, routed(namespace, "good", host), name="good")
    write(tenant, routed(namespace, "bad", f"bad-{host}", other), name="bad")
    wait_for("the refusal", lambda: failure(namespace, "bad") == "HostNotAllowed")
    assert other in namespace.service_of("bad", "bad")["message"]
    assert "administrator" in namespace.service_of("bad", "bad")["suggestion"]
    wait_for("its pods", lambda: namespace.ready_pods("bad"))
    wait_for("the Ingress that is allowed", lambda: routes(namespace) == {"good": [f"{host}/"]})

    annotate(namespace, f"mill.dev/allowed-hosts={other}, bad-{host}")
    wait_for("the second Ingress", lambda: "bad" in routes(namespace), seconds=90)
    wait_for("its verdict", lambda: namespace.service_of("bad", "bad")["state"] == "Healthy")

    write(tenant, routed(namespace, "good", host, image=f"{namespace.registry}/web:2"), name="good")
    wait_for("the warning", lambda: namespace.status("good").get("warnings"))
    wait_for("the update", lambda: namespace.condition("Ready", "good").get("status") == "True")
    assert routes(namespace)["good"] == [f"{host}/"], "what is there stays"


@pytest.mark.parametrize("where", ["same namespace", "other namespace"])
def test_a_route_belongs_to_the_service_that_has_it(
    namespace: Namespace, tenant: Account, cluster: Cluster, tmp_path: Path, where: str
) -> None:
    host = f"{namespace.name}.example.com"
    with contextlib.ExitStack() as stack:
        victim = namespace
        if where == "other namespace":
            victim = stack.enter_context(new_namespace(cluster, tmp_path, prefix="victim"))
        write(
            account(victim, "first", Rule(DEPLOYMENTS, ["get", "create", "patch"])),
            routed(victim, "first", host),
            name="first",
        )
        wait_for("the Ingress", lambda: routes(victim) == {"first": [f"{host}/"]})
        write(tenant, routed(namespace, "second", host), name="second")
        wait_for("the refusal", lambda: failure(namespace, "second") == "RouteTaken")
        message = namespace.service_of("second", "second")["message"]
        assert ("first" in message, "another namespace" in message) == (victim is namespace, victim is not namespace)
        assert victim is namespace or victim.name not in json.dumps(namespace.status("second"))
        wait_for("its pods", lambda: namespace.ready_pods("second"))
        assert "second" not in routes(namespace)
        assert failure(victim, "first") == ""

        victim.kubectl("delete", "milldeployment", "first", "--wait=false")
        wait_for("the second Ingress", lambda: routes(namespace).get("second") == [f"{host}/"])
        wait_for("its verdict", lambda: namespace.service_of("second", "second")["state"] == "Healthy")


def test_an_ingress_that_its_milldeployment_leaves_keeps_its_route(
    namespace: Namespace, tenant: Account, cluster: Cluster, tmp_path: Path
) -> None:
    """Or else a tenant who orphans an Ingress gets the requests of the next one who has the host."""
    host = f"{namespace.name}.example.com"
    with new_namespace(cluster, tmp_path, prefix="victim") as victim:
        write(tenant, routed(namespace, "first", host), name="first")
        wait_for("the Ingress", lambda: routes(namespace) == {"first": [f"{host}/"]})
        namespace.kubectl("delete", "milldeployment", "first", "--cascade=orphan", "--timeout=60s")
        assert "ownerReferences" not in namespace.get("ingress", "first")["metadata"]
        allowed = account(victim, "second", Rule(DEPLOYMENTS, ["get", "create", "patch"]))
        write(allowed, routed(victim, "second", host), name="second")
        wait_for("the refusal", lambda: failure(victim, "second") == "RouteTaken")
        assert routes(victim) == {}
        namespace.kubectl("delete", "ingress", "first")
        wait_for("the second Ingress", lambda: routes(victim) == {"second": [f"{host}/"]})


def test_namespaces_share_routes_if_both_permit_it(
    namespace: Namespace, tenant: Account, cluster: Cluster, tmp_path: Path
) -> None:
    host = f"{namespace.name}.example.com"
    with new_namespace(cluster, tmp_path, prefix="sharing") as other:
        for each in (namespace, other):
            annotate(each, "mill.dev/shared-routes=true")
        write(
            account(other, "first", Rule(DEPLOYMENTS, ["get", "create", "patch"])),
            routed(other, "first", host),
            "first",
        )
        wait_for("the Ingress", lambda: routes(other))
        write(tenant, routed(namespace, "second", host), name="second")
        wait_for("the second Ingress", lambda: routes(namespace) == {"second": [f"{host}/"]})
        wait_for("its verdict", lambda: namespace.service_of("second", "second")["state"] == "Healthy")
        assert not namespace.status("second").get("warnings")


def test_the_name_of_a_tls_secret_is_not_the_tenants_choice(
    namespace: Namespace, tenant: Account, cluster: Cluster, tmp_path: Path
) -> None:
    def secret() -> str:
        found = namespace.get("ingress", "web").get("spec", {}).get("tls") or [{}]
        return str(found[0].get("secretName", ""))

    host = f"{namespace.name}.example.com"
    namespace.kubectl("create", "secret", "generic", "web-tls", "--from-literal=tls.key=victim")
    with instead_of_the_operator(cluster, tmp_path) as start:
        start(MILL_WATCH_NAMESPACE=namespace.name, MILL_TLS_ISSUER="issuer").wait_until_ready()
        write(tenant, routed(namespace, "web", host))
        chosen = wait_for("the Ingress", secret)
        assert re.fullmatch(r"web-tls-[0-9a-f]{10}", chosen)
        (tls,) = namespace.get("ingress", "web")["spec"]["tls"]
        assert tls["hosts"] == [host]
