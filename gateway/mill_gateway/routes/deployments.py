"""`/v1/deployments`: what is deployed, and the events of a rollout for whoever comes later."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from mill_api.events import parse_id
from mill_api.key import Key
from mill_api.kube.resources import MILL_DEPLOYMENTS
from mill_gateway.access import Calling
from mill_gateway.core.seen.deployments import Deployment
from mill_gateway.errors import Refused
from mill_gateway.gateway import Gateway, Here
from mill_gateway.routes.parameters import Detail, InNamespace, Named
from mill_gateway.streams.rollout import rollout_response

router = APIRouter(tags=["deployments"])


@router.get("/v1/deployments", summary="List deployments")
async def list_deployments(gateway: Here, caller: Calling, namespace: InNamespace) -> list[dict[str, Any]]:
    """Return the deployments of a namespace, by name."""
    await gateway.access.require(caller, "list", MILL_DEPLOYMENTS, namespace)
    return [_summary(each) for each in gateway.watched.deployments.in_namespace(namespace)]


@router.get("/v1/deployments/{name}", summary="Show a deployment")
async def get_deployment(gateway: Here, caller: Calling, target: Named) -> dict[str, Any]:
    """Return a deployment's spec and status."""
    await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    found = _find(gateway, target)
    return {**_summary(found), "spec": found.spec, "status": found.raw_status}


@router.get("/v1/deployments/{name}/events", summary="Follow a rollout", response_class=Response)
async def events(
    gateway: Here,
    caller: Calling,
    target: Named,
    rollout: Annotated[str | None, Query(description="Which rollout; the current one if unset.")] = None,
    last_event_id: Annotated[str | None, Header(description="The last event that the client has seen.")] = None,
    detail: Detail = "default",
) -> Response:
    """Stream a rollout's events, from its first or from the one after `Last-Event-ID`, to its `done`."""
    await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    found = _find(gateway, target)
    after = 0
    wanted = rollout or found.rollout_id
    if last_event_id is not None:
        try:
            uid, wanted, after = parse_id(last_event_id)
        except ValueError:
            raise Refused(400, f"Last-Event-ID {last_event_id!r} is not one of ours") from None
        if not found.uid.startswith(uid):
            raise Refused(410, f"{target}: the deployment that these events were about was deleted")
    if not wanted.split("-", 1)[0].isdigit():
        raise Refused(400, f"rollout {wanted!r} is not one of ours: it begins with a generation, such as 4")
    return rollout_response(gateway, target, found.uid, wanted, after=after, full=detail == "full")


def _find(gateway: Gateway, key: Key) -> Deployment:
    found = gateway.watched.deployments.get(key)
    if found is None:
        raise Refused(404, f"deployment not found: {key}")
    return found


def _summary(found: Deployment) -> dict[str, Any]:
    status = found.status
    ready = next((each for each in status.conditions if each.type == "Ready"), None)
    return {
        "name": found.key.name,
        "namespace": found.key.namespace,
        "rollout": found.rollout_id,
        "ready": bool(ready and ready.status == "True"),
        "message": ready.message if ready else "not seen by the operator yet",
        "services": [{"name": each.name, "state": each.state, "message": each.message} for each in status.services],
    }
