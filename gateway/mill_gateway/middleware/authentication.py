"""The middleware that finds out who calls, before anything else looks at a request."""

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mill_gateway.errors import answer, unreachable
from mill_gateway.exceptions import GatewayError, LocalRequestsOnly
from mill_gateway.server.limits import is_loopback, source
from mill_kube.client import Unreachable

SCHEME: Final = "Bearer "
PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Asked for every few seconds: answered whatever else is refused, and logged with `DEBUG` only."""
PUBLIC: Final = PROBES | {"/"}
PUBLIC_FOLDER: Final = "/page/"
"""The page's own files, which hold nothing of the cluster."""
FOREIGN_SITES: Final = frozenset({"cross-site", "same-site"})
"""`Sec-Fetch-Site` of what a page from elsewhere sends; `same-site` is another port of this machine."""
_HERE: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


class Authentication:
    """Puts the `Caller` into the request's state, or answers 401, for unknown paths as well."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not _public(scope["path"]):
            gateway, headers = scope["app"].state.gateway, Headers(scope=scope)
            try:
                if gateway.settings.is_open:
                    _from_here(headers)
                caller = await gateway.access.authenticate(presented(headers), _address(scope))
            except (GatewayError, Unreachable) as error:
                refusal = error if isinstance(error, GatewayError) else unreachable(error)
                await answer(refusal, scope)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def _public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_FOLDER)


def _from_here(headers: Headers) -> None:
    """Refuse what a page from elsewhere sends through its reader's browser to a gateway that asks nobody.

    Such a request names that page as its origin; or its host, where a name was made to lead here; or says that it
    comes from another site, as browsers do of requests without an origin, too.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    ours = origin is None or origin in (f"http://{host}", f"https://{host}")
    if not _HERE.fullmatch(host) or not ours or headers.get("sec-fetch-site") in FOREIGN_SITES:
        raise LocalRequestsOnly


def _address(scope: Scope) -> str | None:
    """Return where a request came from, if that tells senders apart: on this machine there is a proxy or a tunnel."""
    address = source(scope["client"][0]) if scope.get("client") else None
    return None if address is None or is_loopback(address) else address


def presented(headers: Headers) -> str:
    """Return the caller's token. The API server's proxy strips `Authorization`, hence the second header."""
    value = headers.get("authorization", "")
    return value.removeprefix(SCHEME) if value.startswith(SCHEME) else headers.get("mill-token", "")
