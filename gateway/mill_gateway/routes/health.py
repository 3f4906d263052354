"""`/healthz` and `/readyz`: the only routes without a token."""

import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

router = APIRouter(tags=["health"])

DEAF_SECONDS = 180.0
"""A watch that has not heard anything for longer is dead: bookmarks come every minute."""


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> dict[str, str]:
    """Answer, which is all there is to it."""
    return {"status": "ok"}


@router.get("/readyz", summary="Does the process know the cluster?")
async def readyz(request: Request) -> JSONResponse:
    """Answer 200 when the watch is filled and alive, 503 otherwise."""
    reflector = request.app.state.deployments.reflector
    if not reflector.synced.is_set():
        return JSONResponse({"status": "waiting for the first list of MillDeployments"}, 503)
    silent = time.monotonic() - reflector.last_heard
    if silent > DEAF_SECONDS:
        return JSONResponse({"status": f"the watch has heard nothing for {silent:.0f} s"}, 503)
    return JSONResponse({"status": "ok"})
