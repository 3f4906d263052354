"""`/healthz` and `/readyz`: for those who keep the process running, without a token."""

import time

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from mill_gateway.gateway import Process

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is the process alive?")
async def healthz(gateway: Process) -> JSONResponse:
    """Answer 503 when a watch is dead, which a new start mends; otherwise 200."""
    quietest = min(gateway.watched.reflectors, key=lambda each: each.last_heard)
    silent = time.monotonic() - quietest.last_heard
    if silent > gateway.settings.watch_deadline:
        return JSONResponse(
            {"status": f"the watch of {quietest.resource.full_name} has heard nothing for {silent:.0f} s"}, 503
        )
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Does the process know the cluster?")
async def readyz(gateway: Process) -> JSONResponse:
    """Answer 200 when every watch is filled, 503 otherwise."""
    if waiting := gateway.unfilled:
        return JSONResponse({"status": f"waiting for the first list of {', '.join(waiting)}"}, 503)
    return JSONResponse({"status": "ok"})
