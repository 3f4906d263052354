"""The application: routes, errors, and what lives as long as the process."""

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
    """Return the application; with the parts that are given (and run by who gives them), or with its own.

    `background` is what is to go on as long as the process does. `give_up` is called when that or a watch has ended.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Any number of connections: each log that is followed holds one, and a deploy must not wait for those.
        metrics = Metrics()
        async with await KubeClient.connect(settings.context, connections=0, observe=metrics.request) as client:
            app.state.gateway = Gateway.of(settings, client, metrics)
            # A full collection over the tasks of thousands of streams stops all of them for a third of a second.
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
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        lifespan=None if gateway else lifespan,
        redirect_slashes=False,  # another path is another path, as in the original
    )
    app.state.gateway = gateway
    errors.install(app, ROUTERS)
    for router in ROUTERS:
        app.include_router(router, responses=openapi.failures(*openapi.EVERYWHERE))
    openapi.describe(app)
    for layer in MIDDLEWARE:
        app.add_middleware(layer)
    return app
