"""`/v1/deployments`: MillDeployments, and the events of their rollouts."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response

from mill_api.events import END, parse_id
from mill_api.rollout_ids import is_rollout
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.deletion import Deletion, view_deletion
from mill_gateway.core.deployments import DeploymentDetail, DeploymentView, view_deployment, view_detail
from mill_gateway.exceptions.deployments import InvalidRollout
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import ROLLOUT, Responses, failures
from mill_gateway.openapi import events as stream_of
from mill_gateway.routes.parameters import Detail, Force, InNamespace, LastEventId, Named, System, parse_event_id
from mill_gateway.services.rollouts import RolloutQuery
from mill_gateway.streams.deletion import follow_deletion
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.response import event_stream
from mill_gateway.streams.rollout import rollout_response
from mill_kube.reflector import Stored
from mill_kube.resources import MILL_DEPLOYMENTS

router = APIRouter(tags=["deployments"])

NOT_MODIFIED: Final[Responses] = {304: {"description": "The client has the answer already."}}
DELETED: Final = """\
event: progress
data: {"service": "web", "phase": "stopped"}
id: 0a1b2c3d.delete.1

event: done
data: {"elapsed": 6.2, "success": true}
id: 0a1b2c3d.delete.end
"""
IfNoneMatch = Annotated[str | None, Header(description="`ETag` of the answer that the client has cached.")]


@router.get("/v1/deployments", summary="List deployments", response_model=list[DeploymentView], responses=NOT_MODIFIED)
async def list_deployments(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, if_none_match: IfNoneMatch = None
) -> Response:
    """Return the deployments of a namespace, by name."""
    await gateway.access.require(caller, "list", MILL_DEPLOYMENTS, namespace)
    found = gateway.deployments.find(namespace)
    if not found:
        await gateway.existing.require(namespace)
    return _tagged(if_none_match, _version(found), [view_deployment(each).model_dump(mode="json") for each in found])


@router.get(
    "/v1/deployments/{name}", summary="Show a deployment", response_model=DeploymentDetail, responses=NOT_MODIFIED
)
async def get_deployment(
    gateway: ReadyGateway, caller: CurrentCaller, target: Named, if_none_match: IfNoneMatch = None
) -> Response:
    """Return a deployment's spec and status, as in the resource."""
    await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    found = gateway.deployments.get(target)
    ingresses = gateway.deployments.ingresses(found)
    return _tagged(if_none_match, _version((found, *ingresses.values())), view_detail(found, ingresses))


@router.delete(
    "/v1/deployments/{name}",
    summary="Delete a deployment",
    response_class=Response,
    responses={
        200: {
            "description": "The deletion's events; of a plan, what it would remove and keep.",
            "content": {
                **stream_of(DELETED)[200]["content"],
                "application/json": {"schema": Deletion.model_json_schema()},
            },
        },
        **failures(409),
    },
)
async def delete(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    target: Named,
    *,
    force: Force = False,
    plan: Annotated[bool, Query(description="Delete nothing, and return what would be removed and kept.")] = False,
    system: System = False,
) -> Response:
    """Delete a MillDeployment with its services and tasks, and stream the progress until no pod is left.

    Persistent volumes and the secrets of the namespace stay. The deletion continues without a reader.
    """

    async def require(who: Caller) -> None:
        await gateway.access.require(who, "delete", MILL_DEPLOYMENTS, *target)

    await require(caller)
    if plan:
        await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    gateway.system_namespaces.require(target.namespace, meant=system)
    if plan:
        found = await gateway.deployments.deletable(target, force=force)
        return JSONResponse(view_deletion(found).model_dump(mode="json"))
    with gateway.streams.acquire("rollout", caller) as slots:
        deleted = await gateway.deployments.delete(target, force=force)
        opened = gateway.metrics.streams.labels("rollout")
        headers = {"Mill-Deployment": str(target)}
        return event_stream(follow_deletion(gateway.stores, deleted), opened, headers, guard=Guard(slots, require))


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
    rollout: Annotated[
        str | None, Query(description="Id of the rollout; the default is the current one.", max_length=64)
    ] = None,
    last_event_id: LastEventId = None,
    detail: Detail = "default",
    service: Annotated[str | None, Query(description="Send the events of this service only.", max_length=63)] = None,
) -> Response:
    """Stream a rollout's events, from its first or from the one after `Last-Event-ID`, to its `done`.

    After the last event there is nothing: 204. A rollout that is no longer in the history, or of a deployment that was
    deleted, is gone: 410.
    """

    async def require(who: Caller) -> None:
        await gateway.access.require(who, "get", MILL_DEPLOYMENTS, *target)

    await require(caller)
    short, wanted, after = (None, rollout, 0) if last_event_id is None else parse_event_id(last_event_id, parse_id)
    if wanted is not None and not is_rollout(wanted):
        raise InvalidRollout(f"rollout {wanted!r} is not one of ours: it begins with a generation, such as 4")
    if after == END:
        return Response(status_code=204)
    uid, found = await gateway.rollouts.find(target, short, wanted, service=service)
    query = RolloutQuery(target, uid, found, after, full=detail == "full", service=service)
    guard = Guard(gateway.streams.acquire("rollout", caller), require)
    opened = gateway.metrics.streams.labels("rollout")
    return rollout_response(gateway.stores.deployments, query, opened, guard)


def _version(objects: Iterable[Stored]) -> str:
    return hashlib.sha256(" ".join(each.resource_version for each in objects).encode()).hexdigest()[:32]


def _tagged(known: str | None, version: str, body: Any) -> Response:
    """Return the answer, or 304 if the client has this version of it."""
    tag = f'W/"{version}"'
    if known == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse(body, headers={"ETag": tag, "Cache-Control": "no-cache"})
