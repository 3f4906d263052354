"""The FastAPI application: middleware, routes, errors, and the parts that live as long as the process."""

import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, FastAPI

from mill_gateway import errors, openapi
from mill_gateway.gateway import Gateway
from mill_gateway.metrics import Metrics
from mill_gateway.middleware.authentication import AuthenticationMiddleware
from mill_gateway.middleware.body_limit import BodyLimitMiddleware
from mill_gateway.middleware.head_method import HeadMethodMiddleware
from mill_gateway.middleware.request_log import RequestLogMiddleware
from mill_gateway.routes import ROUTERS
from mill_gateway.routes.parameters import each_once
from mill_gateway.settings import Settings
from mill_kube.client import KubeClient
from mill_process.supervision import GiveUp, end, supervised

MIDDLEWARE: Final = (AuthenticationMiddleware, BodyLimitMiddleware, HeadMethodMiddleware, RequestLogMiddleware)
"""Innermost first."""


def create_app(
    settings: Settings,
    gateway: Gateway | None = None,
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
    give_up: GiveUp = lambda _: None,
) -> FastAPI:
    """Return the application, with the parts in `gateway`, which the caller runs, or with parts of its own.

    The application runs `background` as long as the process lives. It calls `give_up` when one of those tasks or a
    watch ends.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # An unlimited number of connections: each followed log holds one, and a deploy must not wait for them.
        metrics = Metrics()
        async with await KubeClient.connect(settings.context, connections=0, observe=metrics.request) as client:
            app.state.gateway = Gateway.of(settings, client, metrics)
            # A full garbage collection over the tasks of thousands of streams would stop all of them for 0.3 seconds.
            gc.freeze()
            gc.set_threshold(50_000, 20, 100)
            tasks = [supervised(each(), each.__qualname__, give_up) for each in background]
            try:
                async with app.state.gateway.stores.running(give_up):
                    yield
            finally:
                await app.state.gateway.drains.stop()
                await end(tasks)

    app = FastAPI(
        dependencies=[Depends(each_once)],
        docs_url=None,  # the pages load scripts from other sites
        redoc_url=None,
        lifespan=None if gateway else lifespan,
        redirect_slashes=False,  # the original answers 404, too
    )
    app.state.gateway = gateway
    errors.install(app, ROUTERS)
    for router in ROUTERS:
        app.include_router(router, responses=openapi.failures(*openapi.EVERYWHERE))
    openapi.describe(app)
    for layer in MIDDLEWARE:
        app.add_middleware(layer)
    return app
