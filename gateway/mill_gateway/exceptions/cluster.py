"""Failures of the API server, or of what the gateway has read from it."""

from typing import Any

from mill_gateway.exceptions.base import GatewayError, NameNotFound


class ClusterUnreachable(GatewayError):
    """The API server does not answer."""

    code = "cluster_unreachable"


class RefusedByCluster(GatewayError):
    """The API server refused a request of the gateway. `status` is the HTTP status of its answer."""

    code = "refused_by_cluster"

    def __init__(self, message: str, *, status: int, **details: Any) -> None:
        super().__init__(message, **details)
        self.status = status


class NotSynced(GatewayError):
    """The gateway has just started, and its caches are not synced."""

    code = "not_synced"


class NamespaceNotFound(NameNotFound):
    """The cluster has no such namespace."""

    code = "namespace_not_found"
    kind = "namespace"

    def __init__(self, name: str) -> None:
        super().__init__(name, None, f'namespace "{name}" does not exist')
