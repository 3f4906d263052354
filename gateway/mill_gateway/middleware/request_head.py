"""Checks of a request's line and headers that need no route."""

from starlette.types import Scope

from mill_gateway.exceptions.base import GatewayError
from mill_gateway.exceptions.limits import HeadTooLarge
from mill_gateway.exceptions.requests import AmbiguousBodyLength
from mill_gateway.server.limits import HEAD_LIMIT, HEAD_TOO_LARGE


def head_problem(scope: Scope) -> GatewayError | None:
    """Return the failure of a request whose head alone is unacceptable."""
    if _head_size(scope) > HEAD_LIMIT:
        return HeadTooLarge(HEAD_TOO_LARGE)
    names = {name for name, _ in scope["headers"]}
    if b"transfer-encoding" in names and (b"content-length" in names or scope.get("http_version") == "1.0"):
        return AmbiguousBodyLength()
    return None


def _head_size(scope: Scope) -> int:
    return len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(a) + len(b) for a, b in scope["headers"])
