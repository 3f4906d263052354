"""Authentication: finds the caller of each request before any other code reads the request."""

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mill_gateway.access import presented_token
from mill_gateway.errors import answer, unreachable
from mill_gateway.exceptions.access import LocalRequestsOnly
from mill_gateway.exceptions.base import GatewayError
from mill_gateway.server.addresses import is_loopback, source
from mill_kube.errors import Unreachable

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Paths that the kubelet requests every few seconds. Connection limits do not apply to them; the log level is DEBUG."""
PUBLIC: Final = PROBES | {"/"}
PUBLIC_FOLDER: Final = "/page/"
"""The page's own files, which contain no data of the cluster."""
FOREIGN_SITES: Final = frozenset({"cross-site", "same-site"})
"""`Sec-Fetch-Site` of requests from pages of other sites; `same-site` is another port of this machine."""
_LOCAL_HOST: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


class AuthenticationMiddleware:
    """Puts the `Caller` into the request's state, or answers 401, for unknown paths as well."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not _is_public(scope["path"]):
            gateway, headers = scope["app"].state.gateway, Headers(scope=scope)
            try:
                if gateway.settings.is_open:
                    _require_local(headers)
                caller = await gateway.access.authenticate(presented_token(headers), _client_address(scope))
            except (GatewayError, Unreachable) as error:
                failure = error if isinstance(error, GatewayError) else unreachable(error)
                await answer(failure, scope)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def _is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_FOLDER)


def _require_local(headers: Headers) -> None:
    """Raise `LocalRequestsOnly` for a request that another site's page sent through its reader's browser.

    Such a request has that page as its origin; or its host, if a name of the page resolves to this machine; or another
    site in `Sec-Fetch-Site`, which browsers also send without an origin.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    is_own_origin = origin is None or origin in (f"http://{host}", f"https://{host}")
    if not _LOCAL_HOST.fullmatch(host) or not is_own_origin or headers.get("sec-fetch-site") in FOREIGN_SITES:
        raise LocalRequestsOnly


def _client_address(scope: Scope) -> str | None:
    """Return the client's address, or None for this machine: a proxy or a tunnel there has many clients."""
    address = source(scope["client"][0]) if scope.get("client") else None
    return None if address is None or is_loopback(address) else address
