"""Errors as JSON: `{"error": "…", "request_id": "…"}`, in words for the person who reads them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from mill_gateway.core.words import cut, problem, some_of
from mill_kube.client import ApiError, Unreachable
from mill_process.settings import variable

T = TypeVar("T")

CLIENT_GONE = 499
"""For the log alone: nobody is there to read it."""
NO_JSON: Final = "failed to parse the request body as JSON"
LONGEST_ERROR: Final = 8 * 1024
"""Characters of `error`."""
LARGEST_ANSWER: Final = 64 * 1024
"""Bytes of the whole answer: further keys that would make it larger are left out."""


class Refused(HTTPException):
    """A request that is answered with an error: HTTP status and text, and more keys of the answer for programs."""

    def __init__(self, status: int, message: str, **extra: Any) -> None:
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        super().__init__(status, message, headers)
        self.extra = extra


class LimitReached(Refused):
    """A request that is one too many, or too large, or too slow. `limit` names which in the metrics.

    `retry_after` is after how many seconds it may be sent again.
    """

    def __init__(self, status: int, limit: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(status, message)
        self.limit = limit
        if retry_after is not None:
            self.headers = {"Retry-After": str(retry_after)}


def answer(error: HTTPException, scope: Scope) -> JSONResponse:
    """Return the answer to a request that is refused."""
    extra = error.extra if isinstance(error, Refused) else {}
    if isinstance(error, LimitReached):
        scope["app"].state.gateway.metrics.limit_reached(error.limit)
    request_id = scope.get("state", {}).get("request_id")
    return _Error(bounded(str(error.detail), extra, request_id), error.status_code, error.headers)


def bounded(error: str, extra: Mapping[str, Any], request_id: str | None) -> dict[str, Any]:
    """Return the JSON of an error, `LARGEST_ANSWER` at most: `error` is cut, lists are, and what else is too large."""
    body: dict[str, Any] = {"error": cut(error, LONGEST_ERROR)}
    room = LARGEST_ANSWER - len(_render({"request_id": request_id}))
    while len(_render(body)) > room and body["error"] != "…":  # a character may be 12 bytes of JSON
        body["error"] = cut(body["error"], len(body["error"]) // 2)
    left = room - len(_render(body))
    for key, value in extra.items():
        kept = value
        while (size := len(_render({key: kept}))) > left and isinstance(kept, list) and kept:
            kept = kept[: len(kept) // 2]
        if size <= left:
            body[key] = kept
            left -= size
    return {**body, "request_id": request_id}


class _Error(JSONResponse):
    """JSON in ASCII: what was sent and is repeated cannot change a terminal that shows the answer as it is."""

    def render(self, content: Any) -> bytes:
        return _render(content)


def _render(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).replace("\x7f", "\\u007f").encode()


def away(error: Unreachable) -> Refused:
    """Return how it is told that the API server does not answer."""
    return Refused(503, f"the Kubernetes API server does not answer: {error}")


def install(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Have every error of `app` answered as JSON. `routers` have its routes."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    def allowed(scope: Scope) -> str:
        """Return what a path takes: the framework looks at the first route only."""
        matching = [route for route in routes if route.matches(scope)[0] is not Match.NONE]
        exact = [route for route in matching if route.path == scope["path"]]
        methods = {method for route in exact or matching for method in route.methods or ()}
        return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        if not isinstance(error, Refused):  # of the framework: no such route, or not by this method; or a body
            texts = {
                404: f"no such path: {request.url.path[:100]}",
                405: f"{request.method} is not what this path takes",
            }
            headers = {"Allow": allowed(request.scope)} if error.status_code == 405 else error.headers
            error = _unreadable(error.__cause__) or HTTPException(
                error.status_code, texts.get(error.status_code, error.detail), headers
            )
        return answer(error, request.scope)

    @app.exception_handler(Unreachable)
    async def unreachable(request: Request, error: Unreachable) -> JSONResponse:
        return answer(away(error), request.scope)

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        status = error.status if error.status in (403, 404, 409, 422, 429) else 502
        refusal = Refused(status, f"refused by the cluster: {error}", reason=error.reason)
        return answer(refusal, request.scope)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, _error: ClientDisconnect) -> JSONResponse:
        return answer(Refused(CLIENT_GONE, "the client has gone"), request.scope)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(_wrong_shape(request, error.errors()), request.scope)


def _unreadable(cause: BaseException | None) -> Refused | None:
    """Say why a body could not be read as JSON, which the framework does not tell."""
    match cause:
        case ClientDisconnect():
            return Refused(CLIENT_GONE, "the client has gone")
        case UnicodeDecodeError(start=start):
            return Refused(400, f"{NO_JSON}: not UTF-8 at byte {start}")
        case RecursionError():
            return Refused(400, f"{NO_JSON}: nested too deeply")
        case ValueError():
            return Refused(400, f"{NO_JSON}: a number with too many digits")
    return None


def _wrong_shape(request: Request, problems: Sequence[Any]) -> Refused:
    """Say all that is wrong with parameters or JSON: where, and what is allowed, never what was sent."""
    in_body = any(each["loc"][0] == "body" for each in problems)
    if in_body and not is_json(request.headers.get("content-type", "")):
        return Refused(415, "expected request with `Content-Type: application/json`")
    for each in problems[:1]:
        if each["type"] == "json_invalid":
            return Refused(400, f"{NO_JSON}: {each['ctx']['error'].lower()} at character {each['loc'][1]}")
    if in_body:
        texts = _told(request, problems, problem)
        return Refused(422, f"failed to deserialize the JSON body into the target type: {texts}")
    return bad_parameters(request, problems, problem)


def bad_parameters(request: Request, problems: Sequence[T], words: Callable[[T], str]) -> Refused:
    """Return how it is told what is wrong with parameters, each in its words."""
    return Refused(400, f"bad parameters: {_told(request, problems, words)}")


def _told(request: Request, problems: Sequence[T], words: Callable[[T], str]) -> str:
    """Return as many problems as an error tells, each in its words."""
    most: int = request.app.state.gateway.settings.max_problems
    return some_of(problems, most, variable("max_problems"), words)


def is_json(content_type: str) -> bool:
    """Tell whether a body is called JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
