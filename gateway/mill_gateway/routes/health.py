"""`/healthz` and `/readyz`: probes, without a token."""

import time
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from mill_gateway.gateway import GatewayDep
from mill_gateway.openapi import Responses
from mill_process.probes import dead_watch, unsynced_watch

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Health of the process."""

    status: str = Field(description="`ok`, or the problem.", examples=["ok"])


UNWELL: Final[Responses] = {503: {"model": Health, "description": "The process is not healthy or not ready."}}


@router.get("/healthz", summary="Is the process alive?", response_model=Health, responses=UNWELL)
async def healthz(gateway: GatewayDep) -> JSONResponse:
    """Answer 503 if a watch has stopped, which a restart repairs; otherwise 200."""
    return _answer(dead_watch(gateway.stores.reflectors, time.monotonic(), gateway.settings.watch_deadline))


@router.get("/readyz", summary="Are the caches synced?", response_model=Health, responses=UNWELL)
async def readyz(gateway: GatewayDep) -> JSONResponse:
    """Answer 200 if every cache is synced, 503 otherwise."""
    return _answer(unsynced_watch(gateway.stores.reflectors))


def _answer(problem: str | None) -> JSONResponse:
    return JSONResponse({"status": problem or "ok"}, 503 if problem else 200)
