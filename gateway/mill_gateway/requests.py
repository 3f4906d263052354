"""The middlewares around everything: each request has an id, one line in the log, and a body that comes to an end.

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

from mill_gateway.errors import Refused, answer

log = logging.getLogger(__name__)

HEADER: Final = "X-Request-Id"
HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request's line and headers together."""
HEAD_TOO_LARGE: Final = f"the request's line and headers are larger than {HEAD_LIMIT} bytes"
BODY_LIMIT: Final = 2 * 1024 * 1024
BODY_SECONDS: Final = 30.0
"""How long a body may take."""
QUIET: Final = frozenset({"/healthz", "/readyz"})
"""Asked for every few seconds: logged with `DEBUG` only."""
SHOWN: Final = 200
"""Characters of a path that are logged."""
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
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            if _head_size(scope) > HEAD_LIMIT:
                await answer(Refused(431, HEAD_TOO_LARGE), scope)(scope, receive, named)
            else:
                await self._app(scope, receive, named)
        except Exception:
            log.exception("request %s: unexpected error", request_id)
            if status:
                raise  # the answer is cut off, so that nobody takes it for a whole one
            refusal = Refused(500, "internal error: the gateway's log says more under this request's id")
            await answer(refusal, scope)(scope, receive, named)
        finally:
            _tell(scope, status, time.monotonic() - started)


def _route(scope: Scope) -> str:
    """Return the template of a request's route, so that there are few of them."""
    return getattr(scope.get("route"), "path", "none")


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
        logging.DEBUG if path in QUIET else logging.INFO,
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


class Bodies:
    """Refuses a body that is too large as soon as that is known, and one that takes too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > BODY_LIMIT:
            await answer(_too_large(), scope)(scope, receive, send)
            return
        await self._app(scope, _Body(receive), send)


class _Body:
    """What a route receives."""

    __slots__ = ("_complete", "_ends", "_receive", "_size")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0
        self._complete = False
        self._ends = time.monotonic() + BODY_SECONDS

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()  # all that can come is that the client is gone
        try:
            async with asyncio.timeout(self._ends - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, f"no complete body within {BODY_SECONDS:.0f} s") from None
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._size > BODY_LIMIT:
            raise _too_large()
        return message


def _too_large() -> Refused:
    return Refused(413, f"the body is larger than {BODY_LIMIT} bytes")
