"""The HTTP server: uvicorn, which answers in JSON what never becomes a request, and waits for nothing without an end.

How long a connection may be in each of its phases is decided in `core.connections`; `connections` looks at all of them
every second, whatever has been received meanwhile, so that no byte starts a time anew.
"""

import json
import math
import secrets
import ssl
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from mill_gateway.errors import answer, error_body, status_of
from mill_gateway.exceptions import (
    GatewayError,
    HeadTooLarge,
    MalformedRequest,
    RequestTimeout,
    TooManyConnections,
    TooManyConnectionsFromAddress,
)
from mill_gateway.middleware.authentication import PROBES
from mill_gateway.middleware.request_log import HEAD_LIMIT, HEAD_TOO_LARGE
from mill_gateway.server import limits as core
from mill_gateway.server.connections import OF_ADDRESS, Connections
from mill_gateway.server.limits import Phase
from mill_gateway.settings import Settings
from mill_gateway.streams.response import STREAM


class JsonProtocol(H11Protocol):
    """A connection."""

    _unread: tuple[float, int] | None = None
    """Since when so many bytes have waited for the client."""

    def __init__(self, *args: Any, open_connections: Connections, **options: Any) -> None:
        super().__init__(*args, **options)
        self._all = open_connections

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        limit = self._all.serve(transport.get_extra_info("socket").fileno(), self)
        if limit is not None:
            self.app = Surplus(self.app, limit)

    def resume_writing(self) -> None:
        """Send on: most of what waited for the client has been taken."""
        super().resume_writing()
        self._unread = None

    def phase(self) -> Phase:
        """Return what the connection is doing."""
        if self.transport.is_closing():
            return Phase.CLOSING
        if self.cycle is not None and not self.cycle.response_complete:
            return Phase.ANSWER
        if self.conn.their_state is h11.SEND_BODY:
            return Phase.REST
        if self.cycle is not None and self.timeout_keep_alive_task is not None:  # which the first byte takes away
            return Phase.IDLE
        return Phase.HEAD

    def request(self) -> object:
        """Return what is another object for each request."""
        return self.cycle

    def expire(self, phase: Phase, seconds: float) -> None:
        """End the connection, since a phase has lasted for so many seconds, and may not."""
        if phase is Phase.CLOSING:
            self.transport.abort()
        elif phase is Phase.HEAD and self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._refuse(RequestTimeout(f"no complete request within {seconds:.0f} s"))
        else:
            self.transport.close()  # nothing was sent, or all has been answered

    def look(self, now: float) -> None:
        """Cut off a client that does not take what waits for it, when nothing more is made until it does.

        Closing would wait for the client to take it.
        """
        waiting = self.transport.get_write_buffer_size()
        busy = self.cycle is not None and not self.cycle.response_complete and not self.flow.write_paused
        if not waiting or busy:
            self._unread = None
            return
        since, before = self._unread or (now, waiting)
        if now - since >= core.UNREAD_SECONDS:
            if before - waiting < min(core.LEAST_READ, before):
                self.transport.abort()
                return
            since, before = now, waiting
        self._unread = since, before

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Finish the answer that is being made; a stream has no end to wait for, and is cut off."""
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and self.scope["state"].get(STREAM):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too much of it."""
        buffered, _ = self.conn.trailing_data
        if len(buffered) >= HEAD_LIMIT:
            self._refuse(HeadTooLarge(HEAD_TOO_LARGE))
        else:
            self._refuse(MalformedRequest(msg.lower().rstrip(".")))

    def _refuse(self, error: GatewayError) -> None:
        """Answer, and close the connection."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        request_id, status = secrets.token_hex(8), HTTPStatus(status_of(error))
        body = json.dumps(error_body(error, request_id)).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=status.phrase.encode()),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class Surplus:
    """What a connection beyond a limit is answered: that there are too many. Probes are answered, since the kubelet
    would end a process that does not."""

    def __init__(self, app: Any, limit: str) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle the only request of a connection."""

        async def last(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if scope["path"] in PROBES:
            await self._app(scope, receive, last)
            return
        error = TooManyConnectionsFromAddress if self._limit == OF_ADDRESS else TooManyConnections
        scope["state"]["request_id"] = secrets.token_hex(8)
        await answer(error(retry_after=1), scope)(scope, receive, last)


def configuration(
    app: ASGIApp, settings: Settings, context: ssl.SSLContext | None, connections: Connections
) -> uvicorn.Config:
    """Return how uvicorn serves `app`."""
    tls: dict[str, Any] = {"ssl_context_factory": lambda *_: context} if context else {}
    protocol: Callable[..., JsonProtocol] = partial(JsonProtocol, open_connections=connections)
    return Config(
        app,
        host=settings.listen_host,
        port=settings.listen_port,
        loop="asyncio",  # another one would not accept by `connections.Listener`
        http=protocol,  # type: ignore[arg-type] # whatever makes a protocol
        ws="none",
        proxy_headers=False,  # an address is the one that the connection comes from
        h11_max_incomplete_event_size=HEAD_LIMIT,
        timeout_keep_alive=math.ceil(core.SECONDS[Phase.IDLE]),
        timeout_graceful_shutdown=5,
        server_header=False,
        access_log=False,  # `requests` writes a line that names the request
        log_config=None,
        **tls,
    )
