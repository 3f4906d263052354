"""The HTTP protocol of a connection, on uvicorn: errors below HTTP requests as JSON, and phases with time limits.

`limits` has the time that each phase may last. `connections` checks all connections every second, whatever they have
received: no single byte restarts a limit. Decision 13 (docs/decisions) explains the use of uvicorn's internals.
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
from mill_gateway.exceptions.base import GatewayError
from mill_gateway.exceptions.limits import HeadTooLarge, TooManyConnections, TooManyConnectionsFromAddress
from mill_gateway.exceptions.requests import MalformedRequest, RequestTimeout
from mill_gateway.middleware.authentication import PROBES
from mill_gateway.server import limits
from mill_gateway.server.connections import OF_ADDRESS, Connections
from mill_gateway.server.limits import HEAD_LIMIT, HEAD_TOO_LARGE, Phase
from mill_gateway.settings import Settings
from mill_gateway.streams.response import STREAM


class GatewayProtocol(H11Protocol):
    """Protocol of one connection."""

    _unread: tuple[float, int] | None = None
    """Start of the period in which the client must read, and the bytes that waited then."""

    def __init__(self, *args: Any, open_connections: Connections, **options: Any) -> None:
        super().__init__(*args, **options)
        self._connections = open_connections

    def connection_made(self, transport: Any) -> None:
        """Start to wait for a request."""
        super().connection_made(transport)
        limit = self._connections.attach(transport.get_extra_info("socket").fileno(), self)
        if limit is not None:
            self.app = LimitReachedApp(self.app, limit)

    def resume_writing(self) -> None:
        """Resume output: the client has read most of it."""
        super().resume_writing()
        self._unread = None

    def phase(self) -> Phase:
        """Return the current phase."""
        if self.transport.is_closing():
            return Phase.CLOSING
        if self.cycle is not None and not self.cycle.response_complete:
            return Phase.ANSWER
        if self.conn.their_state is h11.SEND_BODY:
            return Phase.REST
        if self.cycle is not None and self.timeout_keep_alive_task is not None:  # uvicorn unsets it at the first byte
            return Phase.IDLE
        return Phase.HEAD

    def request(self) -> object:
        """Return an object that is a different one for each request."""
        return self.cycle

    def expire(self, phase: Phase, seconds: float) -> None:
        """End the connection, since the phase has lasted for `seconds`, its limit."""
        if phase is Phase.CLOSING:
            self.transport.abort()
        elif phase is Phase.HEAD and self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._refuse(RequestTimeout(f"no complete request within {seconds:.0f} s"))
        else:
            self.transport.close()  # the client has sent nothing, or every request is answered

    def check_unread(self, now: float) -> None:
        """Abort the connection if output waits, and the client does not read enough of it.

        A close would wait for the client to read.
        """
        waiting = self.transport.get_write_buffer_size()
        has_more_output = self.cycle is not None and not self.cycle.response_complete and not self.flow.write_paused
        if not waiting or has_more_output:
            self._unread = None
            return
        since, before = self._unread or (now, waiting)
        if now - since >= limits.UNREAD_SECONDS:
            if before - waiting < min(limits.LEAST_READ, before):
                self.transport.abort()
                return
            since, before = now, waiting
        self._unread = since, before

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Finish the current answer; cut off a stream, which has no end to wait for."""
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and self.scope["state"].get(STREAM):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP, or a head that is too large."""
        buffered, _ = self.conn.trailing_data
        if len(buffered) >= HEAD_LIMIT:
            self._refuse(HeadTooLarge(HEAD_TOO_LARGE))
        else:
            self._refuse(MalformedRequest(msg.lower().rstrip(".")))

    def _refuse(self, error: GatewayError) -> None:
        """Answer without the application, and close the connection."""
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


class LimitReachedApp:
    """Application of a connection beyond a limit: it answers one request with the limit, and closes the connection.

    Probes pass to the gateway: the kubelet would restart it if they failed.
    """

    def __init__(self, app: Any, limit: str) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle the only request of the connection."""

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if scope["path"] in PROBES:
            await self._app(scope, receive, send_and_close)
            return
        error = TooManyConnectionsFromAddress if self._limit == OF_ADDRESS else TooManyConnections
        scope["state"]["request_id"] = secrets.token_hex(8)
        await answer(error(retry_after=1), scope)(scope, receive, send_and_close)


def configuration(
    app: ASGIApp, settings: Settings, context: ssl.SSLContext | None, connections: Connections
) -> uvicorn.Config:
    """Return uvicorn's configuration for `app`."""
    tls: dict[str, Any] = {"ssl_context_factory": lambda *_: context} if context else {}
    protocol: Callable[..., GatewayProtocol] = partial(GatewayProtocol, open_connections=connections)
    return Config(
        app,
        host=settings.listen_host,
        port=settings.listen_port,
        loop="asyncio",  # uvloop would not call `Listener.accept`
        http=protocol,  # type: ignore[arg-type] # uvicorn accepts any factory
        ws="none",
        proxy_headers=False,  # limits count the address of the connection, never one of a header
        h11_max_incomplete_event_size=HEAD_LIMIT,
        timeout_keep_alive=math.ceil(limits.SECONDS[Phase.IDLE]),
        timeout_graceful_shutdown=5,
        server_header=False,
        access_log=False,  # the request log has a line with the request's id
        log_config=None,
        **tls,
    )
