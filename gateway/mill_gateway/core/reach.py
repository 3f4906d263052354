"""How a service is reached from outside the cluster: the one rule for the API, the command line and the page."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel, Field

from mill_gateway.objects.ingresses import Ingress
from mill_objects import fields
from mill_objects.json import JsonView

_IN_PATHS: Final = "/:@!$&'()*+,;=~-._%"
"""Characters of a path that stay as they are: it may have escapes already."""
NO_INGRESS: Final = "its Ingress does not have it yet"
NO_CLASS: Final = (
    "no ingress controller serves it: its Ingress has no class, and the cluster had no default IngressClass"
)


class ServiceRoute(BaseModel):
    """A route of a service."""

    url: str = Field(description="Its URL, with https if the Ingress has TLS.", examples=["http://shop.example.com/"])
    address: str | None = Field(
        description="Address that an ingress controller has published for it; null until there is one.",
        examples=["203.0.113.10"],
    )
    problem: str | None = Field(
        description="Why requests may not arrive, for people; null once an ingress controller serves it.",
        examples=["the ingress controller of the class nginx has published no address yet"],
    )


def view_routes(service: JsonView, ingress: Ingress | None) -> list[dict[str, object]]:
    """Return the routes of a service of a spec: `ServiceRoute` as plain JSON. `ingress` is None if there is none."""
    return [_view(host, path, ingress) for host, path in _routes(service)]


def _routes(service: JsonView) -> Iterator[tuple[str, str]]:
    for each in fields.mappings(service, "routes"):
        if host := fields.text(each, "host"):
            yield host, fields.text(each, "path") or "/"


def _view(host: str, path: str, ingress: Ingress | None) -> dict[str, object]:
    scheme = "https" if ingress is not None and host in ingress.tls_hosts else "http"
    problem = _problem(host, path, ingress)
    return {
        "url": f"{scheme}://{host}{quote(path, safe=_IN_PATHS)}",
        "address": ingress.address if ingress is not None and problem is None else None,
        "problem": problem,
    }


def _problem(host: str, path: str, ingress: Ingress | None) -> str | None:
    if ingress is None or (host, path) not in ingress.routes:
        return NO_INGRESS
    if ingress.address is not None:
        return None
    if ingress.ingress_class is None:
        return NO_CLASS
    return f"the ingress controller of the class {ingress.ingress_class} has published no address yet"
