"""`POST /v1/deployments/{name}/pause` and `/resume`: whether the operator acts on a deployment."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends

from mill_gateway.access import CurrentCaller
from mill_gateway.core.deployments import DeploymentView, view_deployment
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import failures
from mill_gateway.routes.parameters import Named
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key

router = APIRouter(tags=["deployments"])

RESPONSES: Final = failures(409)


async def _patchable(gateway: ReadyGateway, caller: CurrentCaller, target: Named) -> Key:
    """Return the deployment if the caller may change it."""
    await gateway.access.require(caller, "patch", MILL_DEPLOYMENTS, *target)
    return target


Patchable = Annotated[Key, Depends(_patchable)]


@router.post("/v1/deployments/{name}/pause", summary="Pause a deployment", responses=RESPONSES)
async def pause(gateway: ReadyGateway, target: Patchable) -> DeploymentView:
    """Keep the operator from acting on a deployment until it is resumed.

    A deploy is accepted meanwhile, and its stream says that it waits. What is deleted is not made again. No GitOps tool
    reverts it, since the spec does not change.
    """
    return view_deployment(await gateway.deployments.pause(target, paused=True))


@router.post("/v1/deployments/{name}/resume", summary="Resume a deployment", responses=RESPONSES)
async def resume(gateway: ReadyGateway, target: Patchable) -> DeploymentView:
    """Let the operator act on a deployment again. What was changed during the pause is carried out now."""
    return view_deployment(await gateway.deployments.pause(target, paused=False))
