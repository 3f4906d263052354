"""The application: routes, errors, and what lives as long as the process."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from mill_api.kube.client import KubeClient
from mill_gateway import errors
from mill_gateway.access.authentication import Authentication
from mill_gateway.gateway import Gateway
from mill_gateway.requests import RequestIds
from mill_gateway.routes import ROUTERS
from mill_gateway.settings import Settings


def create_app(settings: Settings, gateway: Gateway | None = None) -> FastAPI:
    """Return the application; with the parts that are given (and run by who gives them), or with its own."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await KubeClient.connect(settings.context) as client:
            app.state.gateway = Gateway.of(settings, client)
            # A full collection over the tasks of thousands of streams stops all of them for a third of a second.
            gc.freeze()
            gc.set_threshold(50_000, 20, 100)
            async with app.state.gateway.watched.running():
                yield

    app = FastAPI(title="Mill on Kubernetes", version="0.1.0", lifespan=None if gateway else lifespan)
    app.state.gateway = gateway
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Authentication)
    app.add_middleware(RequestIds)
    return app
