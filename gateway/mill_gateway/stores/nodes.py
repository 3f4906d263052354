"""Stores of nodes and of the pods that occupy them."""

from mill_gateway.objects.nodes import Node, NodePod
from mill_gateway.stores.kinds import ALL_NODES, PODS_OF_NODES
from mill_gateway.stores.store import Store
from mill_kube.client import KubeClient
from mill_objects.key import Key


class NodeStores:
    """Nodes and their pods, which are read together."""

    def __init__(self, client: KubeClient) -> None:
        self.nodes: Store[Node] = Store(client, ALL_NODES)
        self.pods: Store[NodePod] = Store(client, PODS_OF_NODES)

    def get(self, name: str) -> Node | None:
        """Return a node."""
        return self.nodes.get(Key("", name))

    def all(self) -> list[Node]:
        """Return all nodes, by name."""
        return self.nodes.all()

    def pods_on(self, name: str) -> list[NodePod]:
        """Return the pods on a node that have not ended, by namespace and name."""
        return self.pods.in_group(name)
