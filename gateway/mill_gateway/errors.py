"""Errors as JSON: `{"error": "…", "request_id": "…"}`, in words for the person who reads them."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from mill_api.kube.client import ApiError, Unreachable


class Refused(HTTPException):
    """A request that is answered with an error: HTTP status and text, and more keys of the answer for programs."""

    def __init__(self, status: int, message: str, **extra: Any) -> None:
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        super().__init__(status, message, headers)
        self.extra = extra


def answer(error: HTTPException, scope: Scope) -> JSONResponse:
    """Return the answer to a request that is refused."""
    extra = error.extra if isinstance(error, Refused) else {}
    body = {"error": str(error.detail), **extra, "request_id": scope.get("state", {}).get("request_id")}
    return JSONResponse(body, error.status_code, error.headers)


def install(app: FastAPI) -> None:
    """Have every error of `app` answered as JSON."""

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return answer(error, request.scope)

    @app.exception_handler(Unreachable)
    async def unreachable(request: Request, error: Unreachable) -> JSONResponse:
        return answer(Refused(503, f"the Kubernetes API server does not answer: {error}"), request.scope)

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        status = error.status if error.status in (403, 404, 409, 422, 429) else 502
        refusal = Refused(status, f"refused by the cluster: {error.message}", reason=error.reason)
        return answer(refusal, request.scope)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        texts = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        return answer(Refused(400, "; ".join(texts)), request.scope)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, _error: Exception) -> JSONResponse:
        return answer(
            Refused(500, "internal error: the gateway's log says more under this request's id"), request.scope
        )
