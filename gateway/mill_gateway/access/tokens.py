"""Who may call: whoever has one of the tokens. Without any, the gateway listens on loopback only (`settings`)."""

import hmac
from collections.abc import Iterable

from fastapi import Request

from mill_gateway.errors import Refused

SCHEME = "Bearer "


async def authorized(request: Request) -> None:
    """Let a request pass, or raise 401. A dependency of every route but health."""
    tokens: tuple[str, ...] = request.app.state.settings.tokens
    if tokens and not _matches(_presented(request), tokens):
        raise Refused(401, "missing or wrong token: set MILL_TOKEN, or send `Authorization: Bearer TOKEN`")


def _presented(request: Request) -> str:
    """Return the caller's token. The API server's proxy strips `Authorization`, hence the second header."""
    value = request.headers.get("authorization", "")
    if value.startswith(SCHEME):
        return value.removeprefix(SCHEME)
    return request.headers.get("mill-token", "")


def _matches(presented: str, tokens: Iterable[str]) -> bool:
    """Compare in constant time, with every token."""
    found = False
    for token in tokens:
        found |= hmac.compare_digest(presented.encode(), token.encode())
    return found
