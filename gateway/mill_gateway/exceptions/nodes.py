"""Failures of requests about nodes."""

from mill_gateway.exceptions.base import GatewayError, NameNotFound


class NodeNotFound(NameNotFound):
    """The cluster has no such node."""

    code = "node_not_found"
    kind = "node"
    text = "node not found"


class NodeInUse(GatewayError):
    """Pods, which `pods` names, run on the node."""

    code = "node_in_use"
    text = "node has active allocations"


class DrainDisabled(GatewayError):
    """The settings do not let the gateway drain or remove nodes."""

    code = "drain_disabled"
    text = "this gateway does not drain or remove nodes: `MILL_DRAIN=true` lets it"
