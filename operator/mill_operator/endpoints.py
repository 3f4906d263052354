"""`/healthz`, `/readyz` and `/metrics`: how others see whether this process is well.

They are answered by the very event loop that does the work: one that is stuck does not answer, and the kubelet ends it.
"""

import json
import socket
import time
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from mill_api.kube.reflector import Reflector
from mill_operator.metrics import Metrics


async def serve(
    listening: socket.socket, reflectors: Iterable[Reflector[Any]], metrics: Metrics, *, deadline: float
) -> web.AppRunner:
    """Answer on a socket until the runner that is returned is cleaned up."""
    watches = tuple(reflectors)

    async def healthz(_request: web.Request) -> web.Response:
        return _answer(dead_watch(watches, time.monotonic(), deadline))

    async def readyz(_request: web.Request) -> web.Response:
        return _answer(unfilled_watch(watches))

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", make_aiohttp_handler(metrics.registry)),
        ]
    )
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    return runner


def dead_watch(watches: Iterable[Reflector[Any]], now: float, deadline: float) -> str | None:
    """Say which watch has not heard anything for longer than the deadline.

    One that is only quiet has: it is begun anew long before.
    """
    quietest = min(watches, key=lambda each: each.last_heard)
    silent = now - quietest.last_heard
    return (
        f"the watch of {quietest.resource.full_name} has heard nothing for {silent:.0f} s"
        if silent > deadline
        else None
    )


def unfilled_watch(watches: Iterable[Reflector[Any]]) -> str | None:
    """Say which watches have no first list yet."""
    waiting = [each.resource.full_name for each in watches if not each.synced.is_set()]
    return f"waiting for the first list of {', '.join(waiting)}" if waiting else None


def _answer(problem: str | None) -> web.Response:
    body = json.dumps({"status": problem or "ok"}) + "\n"
    return web.Response(text=body, status=503 if problem else 200, content_type="application/json")
