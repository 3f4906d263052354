"""Answers to failed requests: the HTTP status of each failure, and `{"error", "code", "request"}` as JSON."""

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

from mill_gateway.core.problems import cut, join, problem
from mill_gateway.exceptions import (
    access,
    cluster,
    deployments,
    limits,
    nodes,
    registries,
    requests,
    revisions,
    runs,
    secrets,
    volumes,
)
from mill_gateway.exceptions.access import AuthenticationRequired
from mill_gateway.exceptions.base import GatewayError, NameNotFound
from mill_gateway.exceptions.cluster import ClusterUnreachable, NamespaceNotFound, RefusedByCluster
from mill_gateway.exceptions.limits import LimitReached
from mill_gateway.exceptions.requests import (
    AmbiguousBodyLength,
    ClientDisconnected,
    InternalError,
    InvalidBody,
    InvalidJson,
    InvalidParameters,
    MalformedRequest,
    MethodNotAllowed,
    PathNotFound,
    UnsupportedContentType,
)
from mill_gateway.services.existing import Existing
from mill_kube.errors import ApiError, Unreachable
from mill_process.settings import variable

T = TypeVar("T")

NO_JSON: Final = "failed to parse the request body as JSON"
LONGEST_ERROR: Final = 8 * 1024
"""Characters of `error`."""
LARGEST_ANSWER: Final = 64 * 1024
"""Bytes of the whole answer: further keys that would make it larger are left out."""

STATUSES: Final[Mapping[type[GatewayError], int]] = {
    access.AccessCheckFailed: 503,
    access.AuthenticationRequired: 401,
    access.LocalRequestsOnly: 403,
    access.NamespaceNotServed: 403,
    access.NotPermitted: 403,
    cluster.ClusterUnreachable: 503,
    cluster.NamespaceNotFound: 404,
    cluster.NotSynced: 503,
    cluster.RefusedByCluster: 502,
    deployments.AmbiguousService: 409,
    deployments.DeploymentDeleted: 410,
    deployments.DeploymentNotFound: 404,
    deployments.DeploymentTerminating: 409,
    deployments.EmptyMillFile: 400,
    deployments.InvalidMillFile: 400,
    deployments.InvalidRollout: 400,
    deployments.ManagedByGitOps: 409,
    deployments.PlanOutdated: 409,
    deployments.RemovesAllServices: 409,
    deployments.RolloutExpired: 410,
    deployments.RolloutNotFound: 404,
    deployments.ServiceNotFound: 404,
    deployments.SystemNamespace: 409,
    deployments.WriteConflict: 409,
    limits.BodyTimeout: 408,
    limits.BodyTooLarge: 413,
    limits.HeadTooLarge: 431,
    limits.LimitReached: 429,
    limits.TooManyConnections: 503,
    limits.TooManyConnectionsFromAddress: 429,
    nodes.DrainDisabled: 403,
    nodes.NodeInUse: 409,
    nodes.NodeNotFound: 404,
    requests.AmbiguousBodyLength: 400,
    requests.ClientDisconnected: 499,
    requests.InternalError: 500,
    requests.InvalidBody: 422,
    requests.InvalidEventId: 400,
    requests.InvalidJson: 400,
    requests.InvalidParameters: 400,
    requests.MalformedRequest: 400,
    requests.MethodNotAllowed: 405,
    requests.PathNotFound: 404,
    requests.RequestTimeout: 408,
    requests.UnsupportedContentType: 415,
    revisions.NoEarlierRevision: 409,
    revisions.RevisionInvalid: 409,
    revisions.RevisionNotFound: 404,
    revisions.ServiceNotInRevision: 409,
    runs.InsufficientResources: 503,
    runs.InvalidRun: 400,
    runs.NotARun: 400,
    runs.RunNotFound: 404,
    runs.RunNotStarted: 500,
    runs.TaskNotFound: 404,
    registries.InvalidRegistry: 400,
    registries.RegistriesUnreadable: 409,
    registries.RegistryNotFound: 404,
    registries.TooManyRegistries: 409,
    secrets.InvalidSecretName: 400,
    secrets.SecretImmutable: 409,
    secrets.SecretNotFound: 404,
    secrets.SecretNotText: 500,
    secrets.SecretsTooLarge: 413,
    volumes.VolumeAttached: 409,
    volumes.VolumeNotFound: 404,
}
PASSED_ON: Final = frozenset({403, 404, 409, 422, 429})
"""Statuses of the API server that the gateway answers with, too. Any other is 502."""


def status_of(error: GatewayError) -> int:
    """Return the HTTP status of a failure."""
    if isinstance(error, RefusedByCluster) and error.status in PASSED_ON:
        return error.status
    return STATUSES[type(error)]


def answer(error: GatewayError, scope: Scope, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer to a failed request, and count the limit that it reached."""
    if isinstance(error, LimitReached) and error.limit:
        scope["app"].state.gateway.metrics.limit_reached(error.limit)
    request_id = scope.get("state", {}).get("request_id")
    return _Error(error_body(error, request_id), status_of(error), {**_headers(error), **(headers or {})})


def _headers(error: GatewayError) -> Mapping[str, str]:
    match error:
        case AuthenticationRequired():
            return {"WWW-Authenticate": "Bearer"}
        case AmbiguousBodyLength():
            return {"Connection": "close"}
        case LimitReached(retry_after=int(seconds)):
            return {"Retry-After": str(seconds)}
    return {}


def error_body(error: GatewayError, request_id: str | None) -> dict[str, Any]:
    """Return the JSON of a failure, at most `LARGEST_ANSWER` bytes.

    What is too large is shortened: the message, then lists; other details are left out.
    """
    body: dict[str, Any] = {"error": cut(error.message, LONGEST_ERROR), "code": error.code}
    # Clients of 0.1 read `request_id`.
    end = {"request": request_id, "request_id": request_id}
    room = LARGEST_ANSWER - len(_render(end))
    while len(_render(body)) > room and body["error"] != "…":  # a character may be 12 bytes of JSON
        body["error"] = cut(body["error"], len(body["error"]) // 2)
    left = room - len(_render(body))
    for key, value in error.details.items():
        kept = value
        while (size := len(_render({key: kept}))) > left and isinstance(kept, list) and kept:
            kept = kept[: len(kept) // 2]
        if size <= left:
            body[key] = kept
            left -= size
    return {**body, **end}


class _Error(JSONResponse):
    """JSON in ASCII: foreign text in it cannot control the terminal that shows the answer."""

    def render(self, content: Any) -> bytes:
        return _render(content)


def _render(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).replace("\x7f", "\\u007f").encode()


def unreachable(error: Unreachable) -> ClusterUnreachable:
    """Return the failure of a request for which the API server would be needed."""
    return ClusterUnreachable(f"the Kubernetes API server does not answer: {error}")


def install(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Make `app` answer every failure as JSON. `routers` have its routes."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    @app.exception_handler(GatewayError)
    async def gateway_error(request: Request, error: GatewayError) -> JSONResponse:
        if isinstance(error, NameNotFound):
            error = await _explained(request, error)
        return answer(error, request.scope)

    @app.exception_handler(HTTPException)
    async def framework_error(request: Request, error: HTTPException) -> JSONResponse:
        headers = {"Allow": _allowed_methods(routes, request.scope)} if error.status_code == 405 else error.headers
        return answer(_of_framework(request, error), request.scope, headers)

    @app.exception_handler(Unreachable)
    async def cluster_unreachable(request: Request, error: Unreachable) -> JSONResponse:
        return answer(unreachable(error), request.scope)

    @app.exception_handler(ApiError)
    async def refused_by_cluster(request: Request, error: ApiError) -> JSONResponse:
        if (missing := error.missing_namespace) is not None:
            return answer(await _explained(request, NamespaceNotFound(missing)), request.scope)
        refusal = RefusedByCluster(f"refused by the cluster: {error}", status=error.status, reason=error.reason)
        return answer(refusal, request.scope)

    @app.exception_handler(ClientDisconnect)
    async def client_disconnected(request: Request, _error: ClientDisconnect) -> JSONResponse:
        return answer(ClientDisconnected(), request.scope)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(_of_validation(request, error.errors()), request.scope)


async def _explained(request: Request, error: NameNotFound) -> NameNotFound:
    """Return the failure with the names that there are."""
    existing: Existing = request.app.state.gateway.existing
    caller = request.scope.get("state", {}).get("caller")
    return error if caller is None else await existing.explain(caller, error)


def _allowed_methods(routes: Iterable[APIRoute], scope: Scope) -> str:
    """Return the methods of all routes of a path. The framework reads only the first one."""
    matching = [route for route in routes if route.matches(scope)[0] is not Match.NONE]
    exact = [route for route in matching if route.path == scope["path"]]
    methods = {method for route in exact or matching for method in route.methods or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _of_framework(request: Request, error: HTTPException) -> GatewayError:
    """Return the failure for an error of FastAPI or Starlette."""
    match error.status_code:
        case 404:
            return PathNotFound(f"no such path: {request.url.path[:100]}")
        case 405:
            return MethodNotAllowed(f"method {request.method} not allowed")
        case status if status >= 500:
            return InternalError()
    match error.__cause__:
        case GatewayError() as cause:
            return cause
        case ClientDisconnect():
            return ClientDisconnected()
        case UnicodeDecodeError(start=start):
            return InvalidJson(f"{NO_JSON}: not UTF-8 at byte {start}")
        case RecursionError():
            return InvalidJson(f"{NO_JSON}: nested too deeply")
        case ValueError():
            return InvalidJson(f"{NO_JSON}: a number with too many digits")
    return MalformedRequest(str(error.detail))


def _of_validation(request: Request, problems: Sequence[Any]) -> GatewayError:
    """Return the failure for wrong parameters or JSON: each place and what it accepts, never the sent value."""
    in_body = any(each["loc"][0] == "body" for each in problems)
    if in_body and not is_json(request.headers.get("content-type", "")):
        return UnsupportedContentType()
    for each in problems[:1]:
        if each["type"] == "json_invalid":
            return InvalidJson(f"{NO_JSON}: {each['ctx']['error'].lower()} at character {each['loc'][1]}")
    if in_body:
        texts = _join(request, problems, problem)
        return InvalidBody(f"failed to deserialize the JSON body into the target type: {texts}")
    return bad_parameters(request, problems, problem)


def bad_parameters(request: Request, problems: Sequence[T], describe: Callable[[T], str]) -> InvalidParameters:
    """Return the failure for wrong parameters, each as `describe` puts it."""
    return InvalidParameters(f"bad parameters: {_join(request, problems, describe)}")


def _join(request: Request, problems: Sequence[T], describe: Callable[[T], str]) -> str:
    """Return as many problems as the settings allow in one error."""
    most: int = request.app.state.gateway.settings.max_problems
    return join(problems, most, variable("max_problems"), describe)


def is_json(content_type: str) -> bool:
    """Whether a body is declared as JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
