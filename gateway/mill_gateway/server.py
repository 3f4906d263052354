"""The HTTP server: uvicorn, which answers in JSON what never becomes a request, and does not wait for ever for one."""

import asyncio
import json
import secrets
import ssl
from http import HTTPStatus
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from mill_gateway.requests import HEAD_LIMIT, HEAD_TOO_LARGE
from mill_gateway.settings import Settings
from mill_gateway.streams.response import STREAM

HEAD_SECONDS: Final = 10.0
"""How long a request's line and headers may take, from the connection or from their first byte."""
REST_SECONDS: Final = 10.0
"""How long the rest of a body is taken and thrown away, whose request has been answered. Who still sends by then would
not read the answer if the connection were closed at once."""
UNREAD_SECONDS: Final = 60.0
"""How long a client may take nothing of what waits for it: by then it is dead, whatever its machine says, and its
memory is wanted."""


class JsonProtocol(H11Protocol):
    """A connection."""

    _limit: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._await_nothing()
        self._await_no_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Make no more for a client that does not take it, and wait for it as long as it takes something."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Send on."""
        super().resume_writing()
        self._await_no_reader()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest of a request's head if it is not complete."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._await_nothing()
        elif self._limit is None:
            self._await_head()

    def on_response_complete(self) -> None:
        """Do not take the rest of a body for ever."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and self._limit is None:
            self._limit = self.loop.call_later(REST_SECONDS, self.transport.close)

    def shutdown(self) -> None:
        """Finish the answer that is being made; a stream has no end to wait for, and is cut off."""
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and self.scope["state"].get(STREAM):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too much of it."""
        buffered, _ = self.conn.trailing_data
        if len(buffered) >= HEAD_LIMIT:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HEAD_TOO_LARGE)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, msg.lower().rstrip("."))

    def _await_head(self) -> None:
        self._limit = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _await_nothing(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _await_reader(self, before: int | None = None) -> None:
        """Cut the connection if no less is waiting than before. Closing it would wait for the client to take that."""
        waiting = self.transport.get_write_buffer_size()
        if before is not None and waiting >= before:
            self.transport.abort()
        else:
            self._reading = self.loop.call_later(UNREAD_SECONDS, self._await_reader, waiting)

    def _await_no_reader(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _too_slow(self) -> None:
        self._limit = None
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            return
        if self.conn.trailing_data[0]:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"no complete request within {HEAD_SECONDS:.0f} s")
        else:
            self.transport.close()  # nothing was sent, so nobody waits for an answer

    def _refuse(self, status: HTTPStatus, error: str) -> None:
        """Answer, and close the connection."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        request_id = secrets.token_hex(8)
        body = json.dumps({"error": error, "request_id": request_id}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
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


def configuration(app: ASGIApp, settings: Settings, context: ssl.SSLContext | None) -> uvicorn.Config:
    """Return how uvicorn serves `app`."""
    tls: dict[str, Any] = {"ssl_context_factory": lambda *_: context} if context else {}
    return uvicorn.Config(
        app,
        host=settings.listen_host,
        port=settings.listen_port,
        http=JsonProtocol,
        ws="none",
        h11_max_incomplete_event_size=HEAD_LIMIT,
        timeout_graceful_shutdown=5,
        server_header=False,
        access_log=False,  # `requests` writes a line that names the request
        log_config=None,
        **tls,
    )
