"""Projection of an Ingress: the routes that it has, its class and its TLS Secret."""

from dataclasses import dataclass
from typing import NamedTuple

from mill_objects import fields
from mill_objects.json import JsonView


class Route(NamedTuple):
    """A host and a path prefix, in the form in which two of them are compared."""

    host: str
    """In lower case; empty for every host."""
    path: str
    """Without a slash at its end, which makes no difference to a prefix; `/` for every path."""

    def __str__(self) -> str:
        return f"{self.host or '*'}{self.path}"


@dataclass(frozen=True, slots=True)
class ObservedIngress:
    """The part of an Ingress that concerns other Ingresses."""

    routes: tuple[Route, ...]
    ingress_class: str | None
    """None: the cluster's default, or none if there was no default when it was created."""
    tls_secret: str
    """Name of the Secret of its first certificate; empty if it has none."""


def route(host: str, path: str) -> Route:
    """Return a route in the form in which it is compared."""
    return Route(host.lower(), path.rstrip("/") or "/")


def project_ingress(spec: JsonView) -> ObservedIngress:
    """Return what is kept of the spec of an Ingress."""
    found: dict[Route, None] = {}
    for rule in fields.mappings(spec, "rules"):
        for path in fields.mappings(fields.mapping(rule, "http"), "paths"):
            found[route(fields.text(rule, "host"), fields.text(path, "path"))] = None
    tls = next(iter(fields.mappings(spec, "tls")), {})
    return ObservedIngress(tuple(found), fields.optional_text(spec, "ingressClassName"), fields.text(tls, "secretName"))
