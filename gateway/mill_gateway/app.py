"""The application: routes, errors, and what lives as long as the process."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from mill_api.kube.client import KubeClient
from mill_gateway import errors
from mill_gateway.auth import authorized
from mill_gateway.deployments import Deployments
from mill_gateway.routes import deploy, deployments, health
from mill_gateway.settings import Settings

ROUTERS = (deploy.router, deployments.router)


def create_app(settings: Settings) -> FastAPI:
    """Return the application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await KubeClient.connect(settings.context) as client:
            app.state.client = client
            app.state.deployments = Deployments(client)
            watch = asyncio.create_task(app.state.deployments.reflector.run())
            # A full collection over the tasks of thousands of streams stops all of them for a third of a second.
            gc.freeze()
            gc.set_threshold(50_000, 20, 100)
            try:
                yield
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)

    app = FastAPI(title="Mill on Kubernetes", version="0.1.0", lifespan=lifespan)
    app.state.settings = settings
    errors.install(app)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(authorized)])
    return app
