"""`/v1/nodes`: the machines, what is free on them, and how they are emptied."""

from fastapi import APIRouter

from mill_api.kube.resources import NODES
from mill_gateway.access import Calling
from mill_gateway.core.nodes import NodeView, view
from mill_gateway.gateway import Here

router = APIRouter(tags=["nodes"])


@router.get("/v1/nodes", summary="List nodes")
async def list_nodes(gateway: Here, caller: Calling) -> list[NodeView]:
    """Return the nodes of the cluster; none where the gateway is set up not to look at them (`MILL_NODES=off`)."""
    await gateway.access.require(caller, "list", NODES, None)
    nodes = gateway.watched.nodes
    return [view(each, nodes.on(each.key.name)) for each in nodes.all()] if nodes else []
