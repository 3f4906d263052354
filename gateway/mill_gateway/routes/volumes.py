"""`/v1/volumes`: persistent volumes, which outlive their services."""

from typing import Annotated

from fastapi import APIRouter, Path

from mill_gateway.access import CurrentCaller
from mill_gateway.core.volumes import VolumeView
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import failures
from mill_gateway.routes.parameters import InNamespace, OfDeployment
from mill_kube.resources import CLAIMS
from mill_objects.key import Key

router = APIRouter(tags=["volumes"])


@router.get("/v1/volumes", summary="List volumes")
async def list_volumes(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: OfDeployment = None
) -> list[VolumeView]:
    """Return the persistent volumes of a namespace, including those of removed services."""
    await gateway.access.require(caller, "list", CLAIMS, namespace)
    found = gateway.volumes.views(namespace, name)
    if not found:
        await gateway.existing.require(namespace, name)
    return found


@router.delete("/v1/volumes/{volume}", summary="Delete a volume and its data", status_code=204, responses=failures(409))
async def delete_volume(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    namespace: InNamespace,
    name: Annotated[str, Path(alias="volume", description="Name of the volume.", examples=["data"])],
) -> None:
    """Delete an unused volume. The reclaim policy of its storage class decides what happens to the data."""
    await gateway.access.require(caller, "delete", CLAIMS, namespace, name)
    await gateway.volumes.delete(Key(namespace, name))
