"""The endpoints `/healthz`, `/readyz` and `/metrics`.

The event loop that reconciles also serves them. If it is stuck, it does not answer, and the kubelet restarts the
process.
"""

import json
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from mill_kube.reflector import Reflector
from mill_operator.metrics import Metrics
from mill_process.probes import dead_watch, unsynced_watch


async def serve(
    listening: Sequence[socket.socket], reflectors: Iterable[Reflector[Any]], metrics: Metrics, *, deadline: float
) -> web.AppRunner:
    """Serve on sockets until `cleanup` of the returned runner."""
    watches = tuple(reflectors)

    async def healthz(_request: web.Request) -> web.Response:
        return _answer(dead_watch(watches, time.monotonic(), deadline))

    async def readyz(_request: web.Request) -> web.Response:
        return _answer(unsynced_watch(watches))

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
    for each in listening:
        await web.SockSite(runner, each).start()
    return runner


def _answer(problem: str | None) -> web.Response:
    body = json.dumps({"status": problem or "ok"}) + "\n"
    return web.Response(text=body, status=503 if problem else 200, content_type="application/json")
