"""`/v1/deployments`: what is deployed, and the events of a rollout for whoever comes later."""

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response

from mill_api.events import END, Standing, forgotten, is_rollout, parse_id, short_uid, standing
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.deployments import DeploymentDetail, DeploymentView, detail_of, summary
from mill_gateway.exceptions import (
    DeploymentDeleted,
    DeploymentNotFound,
    InvalidRollout,
    RolloutExpired,
    RolloutNotFound,
    ServiceNotFound,
)
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.objects.deployments import Deployment
from mill_gateway.openapi import ROLLOUT, Responses, failures
from mill_gateway.routes.parameters import Detail, InNamespace, LastEventId, Named, seen
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.rollout import rollout_response
from mill_kube.client import NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key

router = APIRouter(tags=["deployments"])

NOT_MODIFIED: Final[Responses] = {304: {"description": "The client has the answer already."}}
IfNoneMatch = Annotated[str | None, Header(description="`ETag` of an answer that the client has.")]


@router.get("/v1/deployments", summary="List deployments", response_model=list[DeploymentView], responses=NOT_MODIFIED)
async def list_deployments(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, if_none_match: IfNoneMatch = None
) -> Response:
    """Return the deployments of a namespace, by name."""
    await gateway.access.require(caller, "list", MILL_DEPLOYMENTS, namespace)
    found = gateway.stores.deployments.in_group(namespace)
    version = hashlib.sha256(" ".join(each.resource_version for each in found).encode()).hexdigest()[:32]
    return _tagged(if_none_match, version, [summary(each).model_dump(mode="json") for each in found])


@router.get(
    "/v1/deployments/{name}", summary="Show a deployment", response_model=DeploymentDetail, responses=NOT_MODIFIED
)
async def get_deployment(
    gateway: ReadyGateway, caller: CurrentCaller, target: Named, if_none_match: IfNoneMatch = None
) -> Response:
    """Return a deployment's spec and status, as in the resource."""
    await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    found = _find(gateway, target)
    return _tagged(if_none_match, found.resource_version, detail_of(found))


@router.get(
    "/v1/deployments/{name}/events",
    summary="Follow a rollout",
    response_class=Response,
    responses={**ROLLOUT, 204: {"description": "After the last event there is nothing."}, **failures(410)},
)
async def events(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    target: Named,
    rollout: Annotated[str | None, Query(description="Which rollout; the current one if unset.", max_length=64)] = None,
    last_event_id: LastEventId = None,
    detail: Detail = "default",
    service: Annotated[str | None, Query(description="The only service that is told of.", max_length=63)] = None,
) -> Response:
    """Stream a rollout's events, from its first or from the one after `Last-Event-ID`, to its `done`.

    After the last event there is nothing: 204. A rollout that the current one and the history do not tell of any more,
    or of a deployment that was deleted, is gone: 410.
    """

    async def may(who: Caller) -> None:
        await gateway.access.require(who, "get", MILL_DEPLOYMENTS, *target)

    await may(caller)
    uid, wanted, after = (None, rollout, 0) if last_event_id is None else seen(last_event_id, parse_id)
    if wanted is not None and not is_rollout(wanted):
        raise InvalidRollout(f"rollout {wanted!r} is not one of ours: it begins with a generation, such as 4")
    if after == END:
        return Response(status_code=204)
    found = await _up_to_date(gateway, target, uid, wanted)
    wanted = wanted or found.rollout_id
    if service is not None and not found.has_service(service):
        raise ServiceNotFound
    if standing(wanted, found.metadata, found.status) is Standing.FORGOTTEN:
        raise RolloutExpired(forgotten(wanted))
    guard, full = Guard(gateway.streams.take("rollout", caller), may), detail == "full"
    return rollout_response(gateway, target, found.uid, wanted, guard=guard, after=after, full=full, only=service)


async def _up_to_date(gateway: Gateway, key: Key, uid: str | None, rollout: str | None) -> Deployment:
    """Return the deployment of that uid, if one is given, which has asked for the rollout, if one is given.

    Another gateway may have written it a moment ago: it is read once if our view of it does not have what is wanted.
    """
    found = gateway.stores.deployments.get(key)
    if found is None or not _is(found, uid) or not _has_asked_for(found, rollout):
        try:
            found = gateway.stores.deployments.put(await gateway.client.get(MILL_DEPLOYMENTS, *key))
        except NotFound:
            found = None
    if uid is not None and (found is None or not _is(found, uid)):
        raise DeploymentDeleted(f"{key}: the deployment that these events were about was deleted")
    if found is None:
        raise DeploymentNotFound(f"deployment not found: {key}")
    if not _has_asked_for(found, rollout):
        raise RolloutNotFound(f"{key}: there is no rollout {rollout} yet; the latest is {found.rollout_id}")
    return found


def _is(found: Deployment, uid: str | None) -> bool:
    return uid is None or short_uid(found.uid) == uid


def _has_asked_for(found: Deployment, rollout: str | None) -> bool:
    if rollout is None or rollout == found.rollout_id:
        return True
    return standing(rollout, found.metadata, found.status) is not Standing.AWAITED


def _find(gateway: Gateway, key: Key) -> Deployment:
    found = gateway.stores.deployments.get(key)
    if found is None:
        raise DeploymentNotFound(f"deployment not found: {key}")
    return found


def _tagged(known: str | None, version: str, body: Any) -> Response:
    """Answer, or say that the client has the answer already."""
    tag = f'W/"{version}"'
    if known == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse(body, headers={"ETag": tag, "Cache-Control": "no-cache"})
