"""`GET /v1/services`: services and their replicas."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from mill_gateway.access import CurrentCaller
from mill_gateway.core.services import ServiceView, services
from mill_gateway.gateway import ReadyGateway
from mill_gateway.objects.pods import Program
from mill_gateway.routes.parameters import InNamespace, OfDeployment
from mill_kube.resources import MILL_DEPLOYMENTS

router = APIRouter(tags=["services"])


@router.get("/v1/services", summary="List services", response_model=list[ServiceView])
async def list_services(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: OfDeployment = None
) -> JSONResponse:
    """Return the services of a namespace, with every replica that there is, old ones that are going included."""
    await gateway.access.require(caller, "list", MILL_DEPLOYMENTS, namespace)
    pods = gateway.stores.pods
    shown = [
        service
        for deployment in gateway.stores.deployments.in_group(namespace)
        if name in (None, deployment.key.name)
        for service in services(deployment, lambda program: pods.in_group(Program(namespace, "service", program)))
    ]
    return JSONResponse(shown)
