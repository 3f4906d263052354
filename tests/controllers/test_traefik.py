"""Requests by host name, through a real ingress controller."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hack.cluster import Cluster
from hack.controllers import traefik
from hack.controllers.traefik import Traefik
from tests.e2e.conftest import Namespace, new_namespace, polling, wait_for
from tests.e2e.faults.operator_process import OperatorProcess
from tests.support.certificates import make

FILE = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  replicas = 2
  route "HOST" {}
}
"""
ISSUER = "ours"
SETTINGS = {"MILL_INGRESS_CLASS": traefik.CLASS, "MILL_TLS_ISSUER": ISSUER}


@pytest.fixture(scope="module")
def ingress(cluster: Cluster, operator: OperatorProcess) -> Iterator[Traefik]:
    """Traefik, and an operator that gives it the routes, with certificates of an issuer that the test stands in for."""
    running = traefik.up(cluster)
    try:
        operator.start(SETTINGS)
        yield running
    finally:
        traefik.down(cluster)


def host_of(namespace: Namespace) -> str:
    return f"{namespace.name}.example.com"


def deploy(namespace: Namespace, host: str, file: str = FILE) -> None:
    done = namespace.deploy(file.replace("HOST", host))
    assert done.code == 0, done


def answers(ingress: Traefik, host: str, path: str = "/") -> httpx.Response:
    return httpx.get(f"{ingress.http}{path}", headers={"Host": host}, timeout=10)


def served(ingress: Traefik, host: str) -> str:
    """Return the version that answers at a host; empty while there is none."""
    answer = answers(ingress, host)
    return answer.text.split()[1] if answer.status_code == 200 else ""


def test_a_request_by_host_name_reaches_the_pods_and_none_is_lost_in_an_update(
    ingress: Traefik, namespace: Namespace
) -> None:
    host = host_of(namespace)
    deploy(namespace, host)
    wait_for("an answer", lambda: served(ingress, host) == "1")
    assert answers(ingress, f"other-{host}").status_code == 404
    with polling(ingress.http, Host=host) as polled:
        deploy(namespace, host, FILE.replace("web:1", "web:2"))
        wait_for("the new version alone", lambda: {served(ingress, host) for _ in range(20)} == {"2"})
        wait_for("the end of the old pods", lambda: len(namespace.items("pods")) == 2)
    assert polled.failures == []
    assert polled.answers > 20, "it was asked all the time"


def test_status_shows_the_address_at_which_traefik_serves_it(ingress: Traefik, namespace: Namespace) -> None:
    host = host_of(namespace)
    deploy(namespace, host)
    published = wait_for(
        "the address", lambda: namespace.get("ingress", "web").get("status", {}).get("loadBalancer", {}).get("ingress")
    )
    assert published == [{"ip": traefik.ADDRESS}]
    wait_for("it in the status", lambda: f"https://{host}" in namespace.mill("status").stdout)


def test_tls_is_that_of_the_secret_that_the_ingress_names(
    ingress: Traefik, namespace: Namespace, tmp_path: Path
) -> None:
    host = host_of(namespace)
    deploy(namespace, host)
    (tls,) = namespace.get("ingress", "web")["spec"]["tls"]
    assert tls["hosts"] == [host]
    annotations = namespace.get("ingress", "web")["metadata"]["annotations"]
    assert annotations["cert-manager.io/cluster-issuer"] == ISSUER
    ours = make(tmp_path, "certificate", host=f"DNS:{host}")
    trust = ssl.create_default_context(cafile=ours / "tls.crt")

    def trusted() -> bool:
        try:
            asked = {"headers": {"Host": host}, "extensions": {"sni_hostname": host}}
            with httpx.Client(verify=trust) as client:
                return client.get(ingress.https, **asked).status_code == 200  # type: ignore[arg-type]
        except httpx.ConnectError:
            return False

    certificate = (f"--cert={ours / 'tls.crt'}", f"--key={ours / 'tls.key'}")
    assert not trusted(), "its own certificate is nobody's"
    namespace.kubectl("create", "secret", "tls", tls["secretName"], *certificate)
    wait_for("the certificate", trusted)


def test_a_route_that_is_taken_stays_where_it_is(
    ingress: Traefik, namespace: Namespace, cluster: Cluster, tmp_path: Path
) -> None:
    host = host_of(namespace)
    deploy(namespace, host)
    wait_for("an answer", lambda: served(ingress, host) == "1")
    with new_namespace(cluster, tmp_path, prefix="second") as second:
        refused = second.deploy(FILE.replace("HOST", host).replace("web:1", "web:2"))
        assert refused.code == 1
        assert f"route {host}/ belongs to a MillDeployment of another namespace" in refused.stdout, refused.stdout
        assert second.service("web")["reason"] == "RouteTaken"
        wait_for("its pods", lambda: second.ready_pods("web"))
        assert {served(ingress, host) for _ in range(20)} == {"1"}
        namespace.kubectl("delete", "milldeployment", "mill", "--wait=false")
        wait_for("the other service", lambda: served(ingress, host) == "2")
        wait_for("its verdict", lambda: second.service("web").get("state") == "Healthy")


def test_two_that_have_a_route_keep_it_with_a_warning(
    ingress: Traefik, operator: OperatorProcess, namespace: Namespace, cluster: Cluster, tmp_path: Path
) -> None:
    host = host_of(namespace)
    with new_namespace(cluster, tmp_path, prefix="sharing") as other:
        for each in (namespace, other):
            annotate(each, "mill.dev/shared-routes=true")
            deploy(each, host)
            assert not each.status().get("warnings")
        wait_for("an answer", lambda: served(ingress, host))
        annotate(other, "mill.dev/shared-routes-")
        operator.start(SETTINGS)  # it reads the annotations anew, and reconciles
        warned = wait_for("the warning", lambda: other.status().get("warnings"))
        assert "RouteTaken" in json.dumps(warned)
        assert other.service("web")["state"] == "Healthy"
        assert served(ingress, host)


def annotate(namespace: Namespace, annotation: str) -> None:
    command = ("annotate", "--overwrite", "namespace", namespace.name, annotation)
    namespace.run(*namespace.cluster.kubectl_command(*command))
