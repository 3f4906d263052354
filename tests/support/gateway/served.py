"""The gateway's application in front of the in-memory API server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from mill_gateway.app import create_app
from mill_gateway.gateway import Gateway
from mill_gateway.settings import Settings
from mill_kube.connection import Request
from mill_kube.reflector import Reflector
from mill_kube.resources import CLAIMS, INGRESSES, JOBS, MILL_DEPLOYMENTS, NAMESPACES, NODES, PODS, Resource
from mill_objects.json import Json
from mill_objects.key import Key
from tests.support.apiserver import ApiServer, InMemoryClient
from tests.support.apiserver.selectors import is_selected

CACHED = {each.kind: each for each in (MILL_DEPLOYMENTS, PODS, JOBS, CLAIMS, INGRESSES, NODES)}
"""The kinds that the gateway caches."""
NAMES_OF_NAMESPACES = ("default", "shop", "other")
"""The namespaces that exist."""


@dataclass
class Served:
    """An application, its API server and a client.

    Objects reach the caches by `have` and `lose` alone, at once and without a watch. `api.put` stores an object that
    the caches have not observed yet.
    """

    gateway: Gateway
    api: ApiServer
    http: httpx.AsyncClient

    def have(self, *bodies: Json) -> None:
        """Store objects in the API server, and let the caches observe them."""
        for body in bodies:
            resource = CACHED[body["kind"]]
            stored = self.api.put(resource, body)
            for reflector in self._reflectors(resource):
                if is_selected(stored, _selection(reflector)):
                    reflector._change(reflector._project(stored))

    def lose(self, kind: str, namespace: str, name: str) -> None:
        """Remove an object from the API server, if it is there, and let the caches observe that."""
        resource = CACHED[kind]
        if self.api.find(resource, namespace, name):
            self.api.remove(resource, namespace, name)
        for reflector in self._reflectors(resource):
            if old := reflector.get(Key(namespace, name)):
                reflector._gone(old)

    def _reflectors(self, resource: Resource) -> list[Reflector[Any]]:
        return [each for each in self.gateway.stores.reflectors if each.resource == resource]


def _selection(reflector: Reflector[Any]) -> Request:
    """Return the list request of a reflector."""
    chosen = reflector._selection
    query = {"labelSelector": chosen.labels, "fieldSelector": chosen.fields}
    return Request("list", reflector.resource, chosen.namespace, query=query)


def connect(settings: Settings) -> tuple[Gateway, ApiServer]:
    """Return a gateway with synced caches, and its API server, which has no objects."""
    api = ApiServer()
    gateway = Gateway.of(settings, InMemoryClient(api))
    for reflector in gateway.stores.reflectors:
        reflector.synced.set()
    for namespace in NAMES_OF_NAMESPACES:
        api.put(NAMESPACES, {"metadata": {"name": namespace}})
    return gateway, api


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@asynccontextmanager
async def serve(*bodies: Json, settings: Settings | None = None) -> AsyncIterator[Served]:
    """Serve the application, in front of an API server that has these objects.

    Headers and the like are set on the client: `served.http.headers["Authorization"] = …`.
    """
    settings = settings or Settings()
    gateway, api = connect(settings)
    transport = httpx.ASGITransport(create_app(settings, gateway), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4400") as http:
        served = Served(gateway, api, http)
        served.have(*bodies)
        yield served
