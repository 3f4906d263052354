"""`GET /v1/services`: services and their replicas."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from mill_gateway.access import CurrentCaller
from mill_gateway.core.services import ServiceView
from mill_gateway.gateway import ReadyGateway
from mill_gateway.routes.parameters import OfService
from mill_gateway.routes.scope import ListScope
from mill_kube.resources import MILL_DEPLOYMENTS

router = APIRouter(tags=["services"])


@router.get("/v1/services", summary="List services", response_model=list[ServiceView])
async def list_services(
    gateway: ReadyGateway, caller: CurrentCaller, scope: ListScope, service: OfService = None
) -> JSONResponse:
    """Return the services of a namespace with all their replicas, terminating ones included."""
    namespaces = await scope.namespaces(gateway, caller, MILL_DEPLOYMENTS, gateway.stores.deployments)
    found = [each for namespace in namespaces for each in gateway.deployments.services(namespace, scope.name, service)]
    if not found:
        await scope.require_existing(gateway)
    return JSONResponse(found)
