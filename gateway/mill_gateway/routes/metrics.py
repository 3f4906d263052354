"""`/v1/metrics`: metrics for Prometheus."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from mill_gateway.access import CurrentCaller
from mill_gateway.gateway import ReadyGateway

router = APIRouter(tags=["metrics"])

CONTENT_TYPE: Final = "text/plain; charset=utf-8"


@router.get(
    "/v1/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
async def metrics(gateway: ReadyGateway, caller: CurrentCaller) -> Response:
    """Return the metrics of all namespaces that the gateway serves, in Prometheus' text format.

    Usage of replicas is included if the cluster has a metrics server. A Kubernetes token needs the right to `get` the
    path `/metrics`, as for other components.
    """
    await gateway.access.require_path(caller, "get", "/metrics")
    await gateway.metrics.refresh(gateway.client, gateway.settings.watched_namespace)
    return Response(await gateway.metrics.text(), headers={"Content-Type": CONTENT_TYPE})
