"""Mill's client of the API server, with the in-memory server in the place of the network."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mill_kube.calls import READS
from mill_kube.client import KubeClient
from mill_kube.connection import JSON, METADATA, Request
from mill_kube.errors import WriteFenced
from mill_kube.resources import VERSION, Resource
from mill_objects.json import Json

if TYPE_CHECKING:
    from tests.support.apiserver.server import ApiServer


class InMemoryClient(KubeClient):
    """Makes the same requests as `KubeClient`.

    An answer arrives in a later turn of the event loop, as one from a network does.
    """

    def __init__(self, server: "ApiServer", *, may_write: Callable[[], bool] = lambda: True) -> None:
        self.server = server
        self.server_ahead = timedelta(0)
        self._may_write = may_write

    async def close(self) -> None:
        """Close nothing: there is no connection."""

    async def request(self, request: Request) -> Json:
        if request.verb not in READS and not self._may_write():
            raise WriteFenced(f"{request}: this process may not write")
        if request.resource == VERSION:
            return self.server.kubernetes
        answer = await self.server.answer(request)
        await asyncio.sleep(0)
        return answer

    async def watch(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        resource_version: str,
        labels: str | None = None,
        fields: str | None = None,
        metadata_only: bool = False,
    ) -> AsyncIterator[Json]:
        query = {"resourceVersion": resource_version, "labelSelector": labels, "fieldSelector": fields}
        async for event in self.server.watch(
            Request("watch", resource, namespace, query=query, accept=METADATA if metadata_only else JSON)
        ):
            yield event

    async def send(self, request: Request, *_: Any, **__: Any) -> Any:
        if request.subresource != "log":
            raise NotImplementedError(f"{request}, of which the response itself is read")
        return await self.server.open_log(request)
