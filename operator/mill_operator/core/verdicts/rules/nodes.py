"""The rule about nodes that do not report."""

from typing import Final

from mill_operator.core.verdicts.pod_predicates import node_lost
from mill_operator.core.verdicts.rule import PodRule, Speed, seconds

NODE_LOST: Final = PodRule(
    id="node-lost",
    code="NodeLost",
    speed=Speed.NEEDS_TIME,
    grace=seconds(360),  # Kubernetes replaces its pods after 300
    predicate=node_lost,
    evidence="the node's condition Ready is not True",
    message="node {node} {silence}",
    suggestion="Check the node: kubectl describe node {node}. Kubernetes replaces its pods after five minutes.",
)
