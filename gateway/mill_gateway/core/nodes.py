"""Nodes as the API shows them."""

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, Field

from mill_gateway.core.capacity import free
from mill_gateway.objects.nodes import Node, NodePod

NodeStatus = Literal["ready", "draining", "down"]


class NodeView(BaseModel):
    """A node."""

    id: str = Field(description="Its name.", examples=["node-1"])
    address: str
    status: NodeStatus = Field(description="`draining`: it takes no new pods. `down`: it does not answer.")
    cpu_total: float = Field(description="Allocatable CPU cores.")
    cpu_available: float = Field(description="CPU cores that no pod requests.")
    memory_total_bytes: int = Field(description="Allocatable memory in bytes.")
    memory_available_bytes: int = Field(description="Memory that no pod requests, in bytes.")
    alloc_count: int = Field(description="Number of replicas and runs on it that have not ended.")
    pod_count: int = Field(description="Number of all pods on it that have not ended.")
    platform: str = Field(examples=["linux/amd64"])


def node_status(node: Node) -> NodeStatus:
    """Return the status of a node."""
    if not node.ready:
        return "down"
    return "draining" if node.unschedulable else "ready"


def view_node(node: Node, pods: Collection[NodePod]) -> NodeView:
    """Return a node as the API shows it. `pods` are all pods on it."""
    available = free(node, pods)
    return NodeView(
        id=node.key.name,
        address=node.address or "",
        status=node_status(node),
        cpu_total=node.amounts.cpu,
        cpu_available=available.cpu,
        memory_total_bytes=node.amounts.memory,
        memory_available_bytes=available.memory,
        alloc_count=sum(each.ours for each in pods),
        pod_count=len(pods),
        platform=node.platform,
    )
