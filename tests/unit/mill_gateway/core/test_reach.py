"""How a service is reached: URLs of its routes, and whether an ingress controller serves them."""

from typing import Any

import pytest

from mill_gateway.core.reach import NO_CLASS, NO_INGRESS, view_routes
from mill_gateway.objects.ingresses import project_ingress
from tests.support.gateway.objects import ingress

HOST = "shop.example.com"
URL = f"http://{HOST}/"
NO_ADDRESS = "the ingress controller of the class nginx has published no address yet"


@pytest.mark.parametrize(
    ("path", "observed", "url", "address", "problem"),
    [
        ("/", None, URL, None, NO_INGRESS),
        ("/", ingress("web", HOST, "/old"), URL, None, NO_INGRESS),
        ("/", ingress("web", "blog.example.com"), URL, None, NO_INGRESS),
        ("/", ingress("web", HOST), URL, None, NO_CLASS),
        ("/", ingress("web", HOST, ingress_class="nginx"), URL, None, NO_ADDRESS),
        ("/", ingress("web", HOST, ingress_class="nginx", address="203.0.113.10"), URL, "203.0.113.10", None),
        # A controller that takes Ingresses without a class.
        ("/", ingress("web", HOST, address="203.0.113.10"), URL, "203.0.113.10", None),
        ("/", ingress("web", HOST, tls=True, address="::1"), f"https://{HOST}/", "::1", None),
        # Another path that was published before: its address is not that of this route.
        ("/api", ingress("web", HOST, address="203.0.113.10"), f"{URL}api", None, NO_INGRESS),
        ("/a b\n%20?x#y\u202e", None, f"{URL}a%20b%0A%20%3Fx%23y%E2%80%AE", None, NO_INGRESS),
    ],
)
def test_a_route(path: str, observed: Any, url: str, address: str | None, problem: str | None) -> None:
    service = {"name": "web", "routes": [{"host": HOST, "path": path}]}
    seen = None if observed is None else project_ingress(observed)
    assert view_routes(service, seen) == [{"url": url, "address": address, "problem": problem}]


def test_routes_without_a_host_or_a_path() -> None:
    service = {"name": "web", "routes": [{"path": "/"}, {"host": "*.example.com"}, "odd", {"host": 5}]}
    assert [each["url"] for each in view_routes(service, None)] == ["http://*.example.com/"]


def test_a_hostile_ingress_is_cut_and_printable() -> None:
    body = ingress("web", HOST, ingress_class="c\x1b[31m" + "x" * 5000)
    body["status"] = {"loadBalancer": {"ingress": [{"hostname": ""}, {"ip": "a\u202eb" + "y" * 5000}]}}
    seen = project_ingress(body)
    assert seen.ingress_class is not None
    assert seen.address is not None
    assert (len(seen.ingress_class), len(seen.address)) == (253, 253)
    assert (seen.ingress_class + seen.address).isprintable()
