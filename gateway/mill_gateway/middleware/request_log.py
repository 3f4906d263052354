"""Outermost layer: gives each request an id, writes one log line about it, and turns a fault into an answer.

Plain ASGI, as all layers here: one that copied requests or answers would cost memory for every open stream, and would
hide that a client has disconnected.
"""

import logging
import re
import secrets
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mill_gateway.errors import answer
from mill_gateway.exceptions.requests import InternalError
from mill_gateway.middleware.authentication import PROBES
from mill_gateway.middleware.request_head import head_problem
from mill_gateway.middleware.response_headers import add_headers

log = logging.getLogger(__name__)

HEADER: Final = "X-Request-Id"
LONGEST_PATH: Final = 200
"""Characters of a path in the log."""
_REQUEST_ID: Final = re.compile(r"[-._A-Za-z0-9]{1,64}")
"""Ids of callers that the gateway uses. It replaces any other, which could forge log lines."""


class RequestLogMiddleware:
    """Gives each request an id, the caller's or a new one, and logs its outcome without the query."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent_id = Headers(scope=scope).get(HEADER, "")
        request_id = sent_id if _REQUEST_ID.fullmatch(sent_id) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started_at, status = time.monotonic(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                scope["app"].state.gateway.metrics.answered(
                    scope["method"], _route_template(scope), status, time.monotonic() - started_at
                )
                headers = MutableHeaders(scope=message)
                headers[HEADER] = request_id
                add_headers(headers, scope["app"].state.gateway.settings)
            await send(message)

        try:
            if (problem := head_problem(scope)) is not None:
                await answer(problem, scope)(scope, receive, send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        except Exception:
            log.exception("request %s: internal error", request_id)
            if status:
                raise  # the server cuts the answer off, so that the client does not take it for complete
            await answer(InternalError(), scope)(scope, receive, send_with_headers)
        finally:
            _log_request(scope, status, time.monotonic() - started_at)


def _route_template(scope: Scope) -> str:
    """Return the template of the route, such as `/v1/logs/{name}`: metrics need a small set of values."""
    return getattr(scope.get("route"), "path", "none")


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    method, path, state = scope["method"], scope["path"], scope["state"]
    caller = state["caller"].name if "caller" in state else "-"
    about = {
        "method": method,
        "path": path[:LONGEST_PATH],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "request_id": state["request_id"],
        "caller": caller,
    }
    log.log(
        logging.DEBUG if path in PROBES else logging.INFO,
        "%s %r %d %.0f ms, %s, request %s",
        method,
        path[:LONGEST_PATH],
        status,
        seconds * 1000,
        caller,
        state["request_id"],
        extra={"about": about},
    )
