"""`/healthz` and `/readyz`: for those who keep the process running, without a token."""

import time
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from mill_gateway.gateway import GatewayDep
from mill_gateway.openapi import Responses
from mill_process.probes import dead_watch, unfilled_watch

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """How the process is."""

    status: str = Field(description="`ok`, or what is wrong.", examples=["ok"])


UNWELL: Final[Responses] = {503: {"model": Health, "description": "What is wrong."}}


@router.get("/healthz", summary="Is the process alive?", response_model=Health, responses=UNWELL)
async def healthz(gateway: GatewayDep) -> JSONResponse:
    """Answer 503 when a watch is dead, which a new start mends; otherwise 200."""
    return _answer(dead_watch(gateway.stores.reflectors, time.monotonic(), gateway.settings.watch_deadline))


@router.get("/readyz", summary="Does the process know the cluster?", response_model=Health, responses=UNWELL)
async def readyz(gateway: GatewayDep) -> JSONResponse:
    """Answer 200 when every watch is filled, 503 otherwise."""
    return _answer(unfilled_watch(gateway.stores.reflectors))


def _answer(problem: str | None) -> JSONResponse:
    return JSONResponse({"status": problem or "ok"}, 503 if problem else 200)
