"""The application in front of a recorded cluster: stores that hold what a test puts there, and a client that answers
what a test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, cast

import httpx
import pytest

from mill_gateway.app import create_app
from mill_gateway.gateway import Gateway
from mill_gateway.settings import Settings
from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import NotFound
from mill_objects.json import Json
from mill_objects.key import Key


@dataclass
class RecordedClient(KubeClient):
    """Answers as a test says, by verb and kind, and remembers what it was asked.

    An answer is the body, an exception that is raised, or a function of the request, which may be asynchronous.
    """

    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By verb and plural, with the subresource if there is one: `("create", "pods/eviction")`."""
    requests: list[Request] = field(default_factory=list)
    written: dict[str, Any] = field(default_factory=dict)
    """What `logs` reads: by pod, a function of `previous` and `follow` that gives an async iterator of chunks."""
    reading: int = 0
    """How many logs are being read."""

    async def logs(self, namespace, pod, options):
        self.reading += 1
        try:
            async for chunk in self.written[pod](options.previous, options.follow, options.tail, options.since):
                yield chunk
        finally:
            self.reading -= 1

    async def request(self, asked):
        self.requests.append(asked)
        verb, resource, name, subresource = asked.verb, asked.resource, asked.name, asked.subresource
        target = f"{resource.plural}/{subresource}" if subresource else resource.plural
        if (verb, target) not in self.answers:
            raise NotFound(404, "NotFound", f"{target} {name} not found")
        answer = self.answers[verb, target]
        if callable(answer):
            answer = answer(asked)
        if isawaitable(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Recorded:
    """An application, and what is behind it."""

    gateway: Gateway
    kube: RecordedClient
    http: httpx.AsyncClient

    def have(self, *bodies: Json) -> None:
        """Let the watches see objects, new or changed."""
        stores = self.gateway.stores
        for body in bodies:
            reflectors = {
                "MillDeployment": (stores.deployments.reflector,),
                "Pod": (stores.pods.reflector, *((stores.nodes.pods.reflector,) if stores.nodes else ())),
                "Job": (stores.jobs.reflector,),
                "PersistentVolumeClaim": (stores.claims.reflector,),
                "Node": (stores.nodes.nodes.reflector,) if stores.nodes else (),
            }
            for reflector in reflectors[body["kind"]]:
                reflector._change(reflector._project(body))

    def lose(self, kind: str, namespace: str, name: str) -> None:
        """Let the watches see that an object is gone."""
        for reflector in self.gateway.stores.reflectors:
            if reflector.resource.kind == kind and (old := reflector.get(Key(namespace, name))):
                reflector._drop(old.key)
                reflector._on_change(old, None)


Serve = Callable[..., AbstractAsyncContextManager[Recorded]]


@asynccontextmanager
async def serve(*bodies: Json, settings: Settings | None = None) -> AsyncIterator[Recorded]:
    """Have the application, in front of a cluster that has these objects.

    Headers and the like are set on the client: `recorded.http.headers["Authorization"] = …`.
    """
    settings = settings or Settings()
    kube = RecordedClient()
    gateway = Gateway.of(settings, cast("KubeClient", kube))
    for reflector in gateway.stores.reflectors:
        reflector.synced.set()
    transport = httpx.ASGITransport(create_app(settings, gateway), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4400") as http:
        recorded = Recorded(gateway, kube, http)
        recorded.have(*bodies)
        yield recorded


@pytest.fixture
def served() -> Serve:
    """Give `serve`: `async with served(object, …) as recorded`."""
    return serve
