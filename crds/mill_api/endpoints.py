"""Where the services of a MillDeployment are reached: what references to them stand for."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mill_api.references import Attribute, ServiceRef
from mill_api.spec import Service


class Endpoint(NamedTuple):
    """What other services need to know of one, without its name."""

    port: int | None = None
    url: str | None = None
    """Its URL outside the cluster; None without a route that has one."""
    ports: tuple[tuple[str, int], ...] = ()
    """Its named ports."""

    @property
    def has_host(self) -> bool:
        """Whether it has a port, and so a name of its own inside the cluster."""
        return self.port is not None or bool(self.ports)

    def text(self, reference: ServiceRef, host: str) -> str | None:
        """Return the value of a reference; None if the service has none."""
        port = self.port if reference.port is None else dict(self.ports).get(reference.port)
        match reference.attribute:
            case Attribute.HOST:
                return host
            case Attribute.ADDRESS if port is not None:
                return f"{host}:{port}"
            case Attribute.ADDRESS:
                return host if reference.port is None else None
            case Attribute.PORT:
                return None if port is None else str(port)
            case Attribute.URL:
                return self.url


Endpoints = Mapping[str, Endpoint]
"""The endpoint of every service of a MillDeployment, by its name."""


def endpoint(port: int | None, routes: Iterable[tuple[str, str]], ports: Iterable[tuple[str, int]] = ()) -> Endpoint:
    """Return the endpoint of a service: host and path of each of its routes, name and number of each named port."""
    named = tuple(ports)
    for host, path in routes:
        if "*" not in host:
            return Endpoint(port, f"https://{host}{path.rstrip('/')}", named)
    return Endpoint(port, None, named)


def endpoint_of(service: Service) -> Endpoint:
    """Return the endpoint of a service of a spec."""
    routes = ((each.host, each.path) for each in service.routes)
    return endpoint(service.port, routes, ((each.name, each.number) for each in service.ports))


def host_of(service: str, namespace: str) -> str:
    """Return the name by which a service is reached from every namespace."""
    return f"{service}.{namespace}.svc"
