"""The middlewares around everything: each request has an id, one line in the log, and an answer with safe headers.

Plain ASGI: a layer that copies requests or answers would cost every open stream memory, and hide that a client is gone.
"""

import asyncio
import logging
import re
import secrets
import time
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mill_gateway.errors import answer
from mill_gateway.exceptions import AmbiguousBodyLength, GatewayError, HeadTooLarge, InternalError
from mill_gateway.middleware.authentication import PROBES
from mill_gateway.settings import Settings

log = logging.getLogger(__name__)

HEADER: Final = "X-Request-Id"
HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request's line and headers together."""
HEAD_TOO_LARGE: Final = f"the request's line and headers are larger than {HEAD_LIMIT} bytes"
SHOWN: Final = 200
"""Characters of a path that are logged."""
NO_SNIFFING: Final = ("X-Content-Type-Options", "nosniff")
NOT_STORED: Final = ("Cache-Control", "no-store")
"""What answers say that say nothing else of it: they are about a cluster, and for one caller."""
HTTPS_ONLY: Final = ("Strict-Transport-Security", "max-age=31536000")
"""What answers over TLS say, but on this machine only: the name `localhost` is not the gateway's alone."""
_SANE: Final = re.compile(r"[-._A-Za-z0-9]{1,64}")


class Requests:
    """Gives each request an id, the caller's or one of ours, and tells the log how it ended. The query is left out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _SANE.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.monotonic(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                scope["app"].state.gateway.metrics.answered(
                    scope["method"], _route(scope), status, time.monotonic() - started
                )
                _complete(scope, MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            if (refusal := _refused_head(scope)) is not None:
                await answer(refusal, scope)(scope, receive, named)
            else:
                await self._app(scope, receive, named)
        except Exception:
            log.exception("request %s: unexpected error", request_id)
            if status:
                raise  # the answer is cut off, so that nobody takes it for a whole one
            await answer(InternalError(), scope)(scope, receive, named)
        finally:
            _tell(scope, status, time.monotonic() - started)


def _route(scope: Scope) -> str:
    """Return the template of a request's route, so that there are few of them."""
    return getattr(scope.get("route"), "path", "none")


def _complete(scope: Scope, headers: MutableHeaders, request_id: str) -> None:
    """Add the headers that every answer has."""
    headers[HEADER] = request_id
    headers.setdefault(*NO_SNIFFING)
    if "etag" not in headers:  # what has one is kept, and asked for again
        headers.setdefault(*NOT_STORED)
    settings: Settings = scope["app"].state.gateway.settings
    if settings.tls_cert and not settings.on_loopback:
        headers.setdefault(*HTTPS_ONLY)


def _refused_head(scope: Scope) -> GatewayError | None:
    """Say what is wrong with a request's head by itself. The connection is closed where its end is in doubt."""
    if _head_size(scope) > HEAD_LIMIT:
        return HeadTooLarge(HEAD_TOO_LARGE)
    names = {name for name, _ in scope["headers"]}
    if b"transfer-encoding" in names and (b"content-length" in names or scope.get("http_version") == "1.0"):
        return AmbiguousBodyLength()
    return None


def _head_size(scope: Scope) -> int:
    return len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(a) + len(b) for a, b in scope["headers"])


def _tell(scope: Scope, status: int, seconds: float) -> None:
    method, path, state = scope["method"], scope["path"], scope["state"]
    caller = state["caller"].name if "caller" in state else "-"
    about = {
        "method": method,
        "path": path[:SHOWN],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "request_id": state["request_id"],
        "caller": caller,
    }
    log.log(
        logging.DEBUG if path in PROBES else logging.INFO,
        "%s %r %d %.0f ms, %s, request %s",
        method,
        path[:SHOWN],
        status,
        seconds * 1000,
        caller,
        state["request_id"],
        extra={"about": about},
    )


class Heads:
    """Answers HEAD as GET would, without the body; a stream is not even begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        begun: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        async def beginning(message: Message) -> None:
            if message["type"] == "http.response.start" and not begun.done():
                begun.set_result(message)

        # The state is shared: who calls is found out further inside, and told further outside.
        inner = {**scope, "method": "GET"}
        answering = asyncio.ensure_future(self._app(inner, receive, beginning))
        either: set[asyncio.Future[Any]] = {answering, begun}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            answering.result()  # which raises what went wrong
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        if "route" in inner:
            scope["route"] = inner["route"]  # by which it is counted
        await send(begun.result())
        await send({"type": "http.response.body", "body": b""})
