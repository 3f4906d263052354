"""Projection of a Service of the type LoadBalancer: its ports, and the addresses that a load balancer has given it."""

from dataclasses import dataclass

from mill_api.constraints import MAX_PORTS
from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.observed.foreign_text import name


@dataclass(frozen=True, slots=True)
class ObservedOutside:
    """The part of a Service that says where it is reached from outside the cluster."""

    ports: tuple[tuple[str, int], ...]
    """Name and number of each."""
    host: str
    """The first name or IP address that a load balancer has given it; empty until there is one."""


def project_outside(spec: JsonView, status: JsonView) -> ObservedOutside | None:
    """Return what is kept of a Service; None for one of another type."""
    if fields.text(spec, "type") != "LoadBalancer":
        return None
    given = fields.mappings(fields.mapping(status, "loadBalancer"), "ingress")
    hosts = (name(fields.text(each, "hostname") or fields.text(each, "ip")) for each in given)
    ports = fields.mappings(spec, "ports")[:MAX_PORTS]
    return ObservedOutside(
        tuple((name(fields.text(each, "name")), fields.number(each, "port")) for each in ports),
        next(filter(None, hosts), ""),
    )
