"""The routes, a file for each subject. A new route goes where its subject is; a new subject into `ROUTERS`."""

from mill_gateway.routes import (
    deploy,
    deployments,
    health,
    logs,
    metrics,
    nodes,
    page,
    pause,
    registries,
    restart,
    revisions,
    secrets,
    services,
    status,
    tasks,
    volumes,
)

ROUTERS = (
    health.router,
    page.router,
    status.router,
    nodes.router,
    deploy.router,
    restart.router,
    pause.router,
    deployments.router,
    revisions.router,
    services.router,
    tasks.router,
    logs.router,
    secrets.router,
    registries.router,
    volumes.router,
    metrics.router,
)
