"""What is free on nodes: what they have, less what pods that have not ended have asked for. Never live usage."""

from collections.abc import Iterable

from mill_gateway.objects.amounts import Amounts, total
from mill_gateway.objects.nodes import Node, NodePod


def free(node: Node, tenants: Iterable[NodePod]) -> Amounts:
    """Return what another pod may ask for on a node, as the scheduler counts. Memory is never below nothing."""
    taken = total(each.amounts for each in tenants)
    return Amounts(round(node.amounts.cpu - taken.cpu, 6), max(0, node.amounts.memory - taken.memory))
