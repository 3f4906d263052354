"""A cluster with IPv4 and IPv6: what Services get, who may change it, and by which addresses all is reached."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hack.cluster import Cluster, variants
from mill_process.listening import authority
from tests.e2e.chart.helm import CHART
from tests.e2e.chart.release import Release, release_in_a_namespace
from tests.e2e.conftest import MILL, Finished, Namespace, new_namespace, wait_for

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(variants.wanted() != variants.DUAL_STACK, reason="needs IPv4 and IPv6: make test-places"),
]

FILE = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
  health { path = "/healthz" }
}
"""


@pytest.fixture(scope="module")
def release(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """Mill, whose gateway has a Service of both families."""
    with release_in_a_namespace(cluster, tmp_path_factory.mktemp("chart")) as made:
        both = {"gateway.service.ipFamilyPolicy": "PreferDualStack"}
        made.put(CHART, **both, **{"gateway.token.create": "true", "operator.settle": "1s"})
        yield made


@pytest.fixture(scope="module")
def shop(cluster: Cluster, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """A namespace with a service."""
    with new_namespace(cluster, tmp_path_factory.mktemp("shop")) as made:
        assert deploy(release, made, FILE).code == 0
        yield made


def deploy(release: Release, shop: Namespace, text: str) -> Finished:
    file = shop.folder / "production.mill"
    file.write_text(text.replace("REGISTRY", shop.registry))
    return release.mill("deploy", "-f", str(file), "--namespace", shop.name)


def families(addresses: list[str]) -> list[int]:
    return [6 if ":" in each else 4 for each in addresses]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def reached(host: str, port: int, path: str = "/healthz") -> bool:
    """Wait until something answers at an address, which it may do a moment after the object has it."""
    url = f"http://{authority(host, port)}{path}"
    return bool(wait_for(url, lambda: answers(url), 20))


def spec_of(space: Namespace, service: str) -> dict[str, Any]:
    found: dict[str, Any] = space.get("service", service)["spec"]
    return found


def test_a_service_gets_what_is_the_clusters_default(shop: Namespace) -> None:
    spec = spec_of(shop, "web")
    assert (spec["ipFamilyPolicy"], families(spec["clusterIPs"])) == ("SingleStack", [4])
    assert reached(spec["clusterIP"], 8080)
    (pod,) = shop.pods("web")
    addresses = [each["ip"] for each in pod["status"]["podIPs"]]
    assert families(addresses) == [4, 6]
    assert all(reached(each, 8080) for each in addresses)


def test_families_that_others_set_stay(release: Release, shop: Namespace) -> None:
    shop.kubectl("patch", "service", "web", "--patch", json.dumps({"spec": {"ipFamilyPolicy": "PreferDualStack"}}))
    given = spec_of(shop, "web")
    assert families(given["clusterIPs"]) == [4, 6]
    assert all(reached(each, 8080) for each in given["clusterIPs"])

    updated = deploy(release, shop, FILE.replace("web:1", "web:2"))
    assert updated.code == 0, updated
    assert spec_of(shop, "web") == given, "an update leaves it"
    # A change of the Service itself, which is applied as a whole.
    more = FILE.replace("  cpu ", '  port "metrics" { number = 9100 }\n  cpu ')
    changed = deploy(release, shop, more)
    assert changed.code == 0, changed
    after = spec_of(shop, "web")
    assert [each["port"] for each in after["ports"]] == [8080, 9100]
    assert {**after, "ports": given["ports"]} == given
    assert all(reached(each, 8080) for each in after["clusterIPs"])


def test_the_gateway_is_reached_by_both(release: Release, shop: Namespace) -> None:
    space = release.namespace
    service = spec_of(space, "mill-gateway")
    assert families(service["clusterIPs"]) == [4, 6]
    pods = space.items("pods", "-l", "app.kubernetes.io/name=mill-gateway")
    for pod in pods:
        assert all(reached(each["ip"], 4400) for each in pod["status"]["podIPs"])
    token = base64.b64decode(space.get("secret", "mill-gateway-token")["data"]["tokens"]).decode()
    for host in service["clusterIPs"]:
        address = f"http://{authority(host, 4400)}"
        assert urlsplit(address).hostname == host
        settings = (f"MILL_TOKEN={token}", f"MILL_ADDRESS={address}")
        status = shop.run("env", "-u", "MILL_CONTEXT", *settings, str(MILL), "status", "--namespace", shop.name)
        assert "web" in status.stdout
