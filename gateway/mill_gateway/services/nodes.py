"""Nodes: listing, and removing empty ones."""

from mill_gateway.core.draining import movable
from mill_gateway.core.nodes import NodeView, view_node
from mill_gateway.exceptions.nodes import DrainDisabled, NodeInUse, NodeNotFound
from mill_gateway.objects.nodes import Node
from mill_gateway.stores import NodeStores
from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import NotFound
from mill_kube.resources import NODES


class Nodes:
    """The nodes of the cluster."""

    def __init__(self, client: KubeClient, stores: NodeStores | None, *, drain: bool) -> None:
        """`stores` is None where the gateway does not show nodes; `drain` allows changes of nodes."""
        self._client = client
        self._stores = stores
        self._drain = drain

    def views(self) -> list[NodeView]:
        """Return the nodes, by name; none where the gateway does not show them."""
        stores = self._stores
        return [view_node(each, stores.pods_on(each.key.name)) for each in stores.all()] if stores else []

    def changeable(self, name: str) -> tuple[NodeStores, Node]:
        """Return a node that may be drained or removed, with the stores. Raise `DrainDisabled` or `NodeNotFound`."""
        if self._stores is None or not self._drain:
            raise DrainDisabled
        node = self._stores.get(name)
        if node is None:
            raise NodeNotFound(name, None)
        return self._stores, node

    async def remove(self, name: str) -> None:
        """Remove a node from the cluster. Raise `NodeInUse` if pods run on it that can move."""
        stores, node = self.changeable(name)
        if running := movable(stores.pods_on(name)):
            raise NodeInUse(pods=[str(each.key) for each in running[:20]])
        body = {"preconditions": {"uid": node.uid}}
        try:
            await self._client.request(Request("delete", NODES, None, name, body=body))
        except NotFound:
            raise NodeNotFound(name, None) from None
