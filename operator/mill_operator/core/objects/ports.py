"""A service's ports → the ports of its container, of its Service, and of its Services outside."""

from collections.abc import Iterator
from typing import Final

from mill_api.ports import MAIN, OutsideService, inner_ports
from mill_api.spec import Service
from mill_objects.json import Json

_PROTOCOLS: Final = {"tcp": "TCP", "udp": "UDP"}


def container_ports(service: Service) -> list[Json]:
    """Return the ports of a service's container, the main one first."""
    return [{"name": name, "containerPort": port, "protocol": protocol} for name, port, protocol in _ports(service)]


def service_ports(service: Service) -> list[Json]:
    """Return the ports of a service's Service, the main one first. It is that of probes, routes and PORT."""
    return [
        {"name": name, "port": port, "targetPort": port, "protocol": protocol}
        for name, port, protocol in _ports(service)
    ]


def outside_spec(outside: OutsideService, selector: dict[str, str]) -> Json:
    """Return the spec of a Service of the type LoadBalancer. The cluster decides all else, as its traffic policy."""
    return {
        "type": "LoadBalancer",
        "selector": selector,
        "ports": [
            {
                "name": each.name,
                "port": each.outside,
                "targetPort": each.number,
                "protocol": _PROTOCOLS[each.protocol],
            }
            for each in outside.ports
        ],
    }


def _ports(service: Service) -> Iterator[tuple[str, int, str]]:
    if service.port is not None:
        yield MAIN, service.port, _PROTOCOLS["tcp"]
    yield from (
        (each.name, each.number, _PROTOCOLS[each.protocol]) for each in inner_ports(service.port, service.ports)
    )
