"""The server as the process has it, on a port of this machine."""

import asyncio
import socket
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from mill_gateway.server.connections import Connections
from mill_gateway.server.listener import listen
from mill_gateway.server.protocol import configuration
from mill_gateway.settings import Settings


@dataclass
class Serving:
    """A server, its open connections, and the limits that it has reported."""

    port: int
    state: ServerState
    connections: Connections
    refused: Counter[str]

    async def settled(self, most: int = 0, seconds: float = 5.0) -> None:
        """Wait until no more than so many connections are open."""
        ends = time.monotonic() + seconds
        while len(self.connections) > most:
            assert time.monotonic() < ends, f"{len(self.connections)} connections are open"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(
    app: ASGIApp,
    *,
    most: int = 1000,
    of_address: int = 1000,
    rest_seconds: float = 0.5,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Serving]:
    """Serve `app` with so many connections at most, and take the rest of a body for so many seconds."""
    refused: Counter[str] = Counter()
    connections = Connections(most, of_address, lambda limit: refused.update([limit]), rest_seconds=rest_seconds)
    config = configuration(app, Settings(), context, connections)
    config.load()
    state = ServerState()
    (listener,) = listen("127.0.0.1", 0, connections)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)  # else the kernel takes megabytes
    accepting = await asyncio.get_running_loop().create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
        sock=listener,
        ssl=context,
        backlog=512,
    )
    try:
        yield Serving(listener.getsockname()[1], state, connections, refused)
    finally:
        accepting.close()
        for each in list(connections._open.values()):
            each.end()
        await asyncio.sleep(0.05)
