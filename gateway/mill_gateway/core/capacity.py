"""Free capacity of nodes: what is allocatable, less the requests of pods that have not ended. Never live usage."""

from collections.abc import Iterable

from mill_gateway.objects.amounts import Amounts, total
from mill_gateway.objects.nodes import Node, NodePod


def free(node: Node, pods: Iterable[NodePod]) -> Amounts:
    """Return what another pod may request on a node, as the scheduler counts. Memory is never below 0."""
    taken = total(each.amounts for each in pods)
    return Amounts(round(node.amounts.cpu - taken.cpu, 6), max(0, node.amounts.memory - taken.memory))
