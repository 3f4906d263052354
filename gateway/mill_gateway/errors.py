"""Errors as JSON: `{"error": "…"}`, in words for the person who reads them."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mill_api.kube.client import ApiError, Unreachable


class Refused(Exception):
    """A request that is answered with an error: HTTP status and text."""

    def __init__(self, status: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.extra = extra
        """More keys of the answer, for programs."""


def install(app: FastAPI) -> None:
    """Have every error of `app` answered as JSON."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return JSONResponse({"error": error.message, **error.extra}, error.status, headers)

    @app.exception_handler(Unreachable)
    async def unreachable(_: Request, error: Unreachable) -> JSONResponse:
        return JSONResponse({"error": f"the Kubernetes API server does not answer: {error}"}, 503)

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> JSONResponse:
        status = error.status if error.status in (403, 404, 409, 422, 429) else 502
        return JSONResponse({"error": f"refused by the cluster: {error.message}", "reason": error.reason}, status)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": str(error.detail).lower()}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        texts = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        return JSONResponse({"error": "; ".join(texts)}, 400)
