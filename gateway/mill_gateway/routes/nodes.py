"""`/v1/nodes`: nodes and their free capacity; draining and removing them."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from mill_api.durations import InvalidDuration, parse_duration, to_timedelta
from mill_api.events import parse_id
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.nodes import NodeView
from mill_gateway.exceptions.requests import InvalidParameters
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import events, failures
from mill_gateway.routes.parameters import LastEventId, parse_event_id
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.response import event_stream
from mill_kube.resources import NODES, PODS

router = APIRouter(tags=["nodes"])

EXAMPLE: Final = """\
event: progress
data: {"phase": "started"}
id: 0a1b2c3d.drain-1a2b3c4d.1

event: progress
data: {"service": "web", "phase": "stopped"}
id: 0a1b2c3d.drain-1a2b3c4d.2

event: done
data: {"elapsed": 3.2, "success": true}
id: 0a1b2c3d.drain-1a2b3c4d.end
"""
NodeId = Annotated[str, Path(alias="id", description="Name of the node.", examples=["node-1"])]


@router.get("/v1/nodes", summary="List nodes")
async def list_nodes(gateway: ReadyGateway, caller: CurrentCaller) -> list[NodeView]:
    """Return the nodes of the cluster; none if the gateway does not show them (`MILL_NODES=false`)."""
    await gateway.access.require(caller, "list", NODES, None)
    return gateway.nodes.views()


@router.post("/v1/nodes/{id}/drain", summary="Drain a node", response_class=Response, responses=events(EXAMPLE))
async def drain(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    name: NodeId,
    limit: Annotated[
        str, Query(alias="timeout", description="Time after which the drain gives up, as in a file.", max_length=32)
    ] = "10m",
    last_event_id: LastEventId = None,
) -> Response:
    """Cordon a node, evict its pods as far as disruption budgets allow, and stream the progress.

    Pods of DaemonSets and static pods stay; pods without a controller stay and are reported. The drain does not depend
    on its client; a second request joins it, or continues with the remaining pods.
    """

    async def require(who: Caller) -> None:
        await gateway.access.require(who, "patch", NODES, None, name)
        await gateway.access.require(who, "create", PODS, None, None, "eviction")

    await require(caller)
    nodes, node = gateway.nodes.changeable(name)
    try:
        seconds = to_timedelta(parse_duration(limit)).total_seconds()
    except InvalidDuration as error:
        raise InvalidParameters(f"query.timeout: {error}") from None
    opened = gateway.metrics.streams.labels("drain")
    guard = Guard(gateway.streams.acquire("drain", caller), require)
    with guard.slots:
        if last_event_id is not None:
            uid, rollout, after = parse_event_id(last_event_id, parse_id)
            if (known := gateway.drains.find(name, f"{uid}.{rollout}")) is not None:
                return event_stream(known.follow(after), opened, guard=guard)
        started = gateway.drains.start(nodes, node, seconds, partial(require, caller))
        return event_stream(started.follow(), opened, guard=guard)


@router.delete("/v1/nodes/{id}", summary="Remove a node", status_code=204, responses=failures(409))
async def remove(gateway: ReadyGateway, caller: CurrentCaller, name: NodeId) -> None:
    """Remove an empty node from the cluster. Its kubelet, if it still runs, may register it again."""
    await gateway.access.require(caller, "delete", NODES, None, name)
    await gateway.nodes.remove(name)
