"""Where the services of a MillDeployment are reached: what references to them stand for."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mill_api.references import Attribute


class Endpoint(NamedTuple):
    """What other services need to know of one, without its name."""

    port: int | None = None
    url: str | None = None
    """Its URL outside the cluster; None without a route that has one."""

    def text(self, attribute: Attribute, host: str) -> str | None:
        """Return the value of an attribute; None if the service has none."""
        match attribute:
            case Attribute.HOST:
                return host
            case Attribute.ADDRESS:
                return host if self.port is None else f"{host}:{self.port}"
            case Attribute.PORT:
                return None if self.port is None else str(self.port)
            case Attribute.URL:
                return self.url


Endpoints = Mapping[str, Endpoint]
"""The endpoint of every service of a MillDeployment, by its name."""


def endpoint(port: int | None, routes: Iterable[tuple[str, str]]) -> Endpoint:
    """Return the endpoint of a service with a port and routes: host and path of each."""
    for host, path in routes:
        if "*" not in host:
            return Endpoint(port, f"https://{host}{path.rstrip('/')}")
    return Endpoint(port)


def host_of(service: str, namespace: str) -> str:
    """Return the name by which a service is reached from every namespace."""
    return f"{service}.{namespace}.svc"
