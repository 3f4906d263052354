"""`GET /v1/services`: services and their replicas."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from mill_gateway.access import CurrentCaller
from mill_gateway.core.services import ServiceView
from mill_gateway.gateway import ReadyGateway
from mill_gateway.routes.parameters import InNamespace, OfDeployment, OfService
from mill_kube.resources import MILL_DEPLOYMENTS

router = APIRouter(tags=["services"])


@router.get("/v1/services", summary="List services", response_model=list[ServiceView])
async def list_services(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    namespace: InNamespace,
    name: OfDeployment = None,
    service: OfService = None,
) -> JSONResponse:
    """Return the services of a namespace with all their replicas, terminating ones included."""
    await gateway.access.require(caller, "list", MILL_DEPLOYMENTS, namespace)
    return JSONResponse(list(gateway.deployments.services(namespace, name, service)))
