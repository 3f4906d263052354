"""`/v1/nodes`: the machines, what is free on them, and how they are emptied and removed."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from mill_api.durations import InvalidDuration, parse_duration, to_timedelta
from mill_api.events import parse_id
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.draining import busy
from mill_gateway.core.nodes import NodeView, view
from mill_gateway.exceptions import DrainDisabled, InvalidParameters, NodeInUse, NodeNotFound
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.objects.nodes import Node
from mill_gateway.openapi import events, failures
from mill_gateway.routes.parameters import LastEventId, seen
from mill_gateway.stores import NodeStores
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.response import event_stream
from mill_kube.client import NotFound
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
    """Return the nodes of the cluster; none where the gateway is set up not to look at them (`MILL_NODES=false`)."""
    await gateway.access.require(caller, "list", NODES, None)
    nodes = gateway.stores.nodes
    return [view(each, nodes.pods_on(each.key.name)) for each in nodes.all()] if nodes else []


@router.post("/v1/nodes/{id}/drain", summary="Drain a node", response_class=Response, responses=events(EXAMPLE))
async def drain(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    name: NodeId,
    limit: Annotated[
        str, Query(alias="timeout", description="After what time it is given up, as in a file.", max_length=32)
    ] = "10m",
    last_event_id: LastEventId = None,
) -> Response:
    """Cordon a node, evict its pods as far as disruption budgets allow, and stream how that goes.

    Pods of DaemonSets and of the kubelet stay, pods without a controller are left where they are and told of. It goes
    on without its client; who asks again joins it, or goes on with what is left.
    """

    async def may(who: Caller) -> None:
        await gateway.access.require(who, "patch", NODES, None, name)
        await gateway.access.require(who, "create", PODS, None, None, "eviction")

    await may(caller)
    nodes, node = _find(gateway, name)
    try:
        seconds = to_timedelta(parse_duration(limit)).total_seconds()
    except InvalidDuration as error:
        raise InvalidParameters(f"query.timeout: {error}") from None
    opened = gateway.metrics.streams.labels("drain")
    guard = Guard(gateway.streams.take("drain", caller), may)
    with guard.place:
        if last_event_id is not None:
            uid, rollout, after = seen(last_event_id, parse_id)
            if (known := gateway.drains.find(name, f"{uid}.{rollout}")) is not None:
                return event_stream(known.follow(after), opened, guard=guard)
        begun = gateway.drains.begin(nodes, node, seconds, partial(may, caller))
        return event_stream(begun.follow(), opened, guard=guard)


@router.delete("/v1/nodes/{id}", summary="Remove a node", status_code=204, responses=failures(409))
async def remove(gateway: ReadyGateway, caller: CurrentCaller, name: NodeId) -> None:
    """Take a node that nothing runs on out of the cluster. Its kubelet, if it still runs, may bring it back."""
    await gateway.access.require(caller, "delete", NODES, None, name)
    nodes, node = _find(gateway, name)
    if running := busy(nodes.pods_on(name)):
        raise NodeInUse(pods=[str(each.key) for each in running[:20]])
    body = {"preconditions": {"uid": node.uid}}
    try:
        await gateway.client.request("delete", NODES, None, name, body=body)
    except NotFound:
        raise NodeNotFound from None


def _find(gateway: Gateway, name: str) -> tuple[NodeStores, Node]:
    """Return a node that may be changed."""
    nodes = gateway.stores.nodes
    if nodes is None or not gateway.settings.drain:
        raise DrainDisabled
    node = nodes.get(name)
    if node is None:
        raise NodeNotFound
    return nodes, node
