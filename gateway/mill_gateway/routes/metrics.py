"""`/v1/metrics`: figures for Prometheus."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from mill_gateway.access import CurrentCaller
from mill_gateway.gateway import ReadyGateway

router = APIRouter(tags=["metrics"])

CONTENT_TYPE: Final = "text/plain; charset=utf-8"


@router.get(
    "/v1/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
async def metrics(gateway: ReadyGateway, caller: CurrentCaller) -> Response:
    """Return the figures of all namespaces that the gateway serves, in Prometheus' text format.

    What replicas use is there if the cluster has a metrics server. With a token of the cluster it takes the right to
    `get` the path `/metrics`, as of other components.
    """
    await gateway.access.require_path(caller, "get", "/metrics")
    await gateway.metrics.refresh(gateway.client, gateway.settings.watched_namespace)
    return Response(await gateway.metrics.text(), headers={"Content-Type": CONTENT_TYPE})
