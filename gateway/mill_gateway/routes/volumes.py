"""`/v1/volumes`: data that outlives services, until somebody deletes it."""

from typing import Annotated

from fastapi import APIRouter, Path

from mill_gateway.access import CurrentCaller
from mill_gateway.core.volumes import VolumeView, held_by, volume
from mill_gateway.exceptions import VolumeAttached, VolumeNotFound
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import failures
from mill_gateway.routes.parameters import InNamespace, OfDeployment
from mill_kube.client import NotFound
from mill_kube.resources import CLAIMS
from mill_objects.key import Key

router = APIRouter(tags=["volumes"])


@router.get("/v1/volumes", summary="List volumes")
async def list_volumes(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: OfDeployment = None
) -> list[VolumeView]:
    """Return the persistent volumes of a namespace, those of services that are gone included."""
    await gateway.access.require(caller, "list", CLAIMS, namespace)
    claims = gateway.stores.claims.in_group(namespace)
    mounting = gateway.stores.mounts.of
    return [volume(each, mounting(each.key)) for each in claims if name in (None, each.deployment)]


@router.delete("/v1/volumes/{volume}", summary="Delete a volume and its data", status_code=204, responses=failures(409))
async def delete_volume(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    namespace: InNamespace,
    name: Annotated[str, Path(alias="volume", description="Name of the volume.", examples=["data"])],
) -> None:
    """Delete a volume that nobody mounts. Its data is gone then, as the storage class has it."""
    await gateway.access.require(caller, "delete", CLAIMS, namespace, name)
    claim = gateway.stores.claims.get(Key(namespace, name))
    if claim is None or claim.leaving:
        raise VolumeNotFound
    if (pod := held_by(gateway.stores.mounts.of(claim.key))) is not None:
        raise VolumeAttached(pod=pod.key.name, node=pod.node)
    try:
        await gateway.client.delete(CLAIMS, namespace, name, uid=claim.uid)
    except NotFound:
        raise VolumeNotFound from None
