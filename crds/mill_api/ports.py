"""The named ports of a service, beside its main one, and the Services by which they are reached from outside."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from pydantic import Field

from mill_api.constraints import PORT
from mill_api.fields import ApiModel, PortName

MAIN: Final = "main"
"""The name of the port that a service has by `port`, as container and Service have it."""
OUTSIDE: Final = {"tcp": "-outside", "udp": "-outside-udp"}
"""What follows a service's name in that of its Service of the type LoadBalancer. There is one for each protocol: many
load balancers refuse two."""


class Port(ApiModel):
    """A named port, beside the main one. `port` remains the port of routes, of health checks and of PORT."""

    name: PortName = Field(description="Name of the port.")
    number: int = Field(ge=PORT.least, le=PORT.most, description="Port on which the program listens.")
    protocol: Literal["tcp", "udp"] = Field("tcp", description="Protocol: tcp or udp.")
    outside: int | None = Field(
        None,
        ge=PORT.least,
        le=PORT.most,
        description="Port of a load balancer, by which it is reached from outside the cluster. The operator refuses it "
        "unless its setting MILL_OUTSIDE is on.",
    )


class OutsideService(NamedTuple):
    """A Service of the type LoadBalancer, with the ports that it has."""

    name: str
    ports: tuple[Port, ...]


def inner_ports(port: int | None, ports: Iterable[Port]) -> list[Port]:
    """Return the ports of a service that are no other name of its main one."""
    return [each for each in ports if (each.number, each.protocol) != (port, "tcp")]


def outside_services(service: str, ports: Sequence[Port]) -> Iterator[OutsideService]:
    """Yield the Services by which ports are reached from outside."""
    for protocol, ending in OUTSIDE.items():
        if found := tuple(each for each in ports if each.outside is not None and each.protocol == protocol):
            yield OutsideService(f"{service}{ending}", found)
