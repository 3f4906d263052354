"""What the gateway itself may do: what it does for all of its callers together. The one source of its roles.

What a caller may do is another question (`access`).
"""

from typing import Final

from mill_api import names
from mill_kube.resources import (
    CLAIMS,
    CRON_JOBS,
    JOBS,
    MILL_DEPLOYMENTS,
    NODES,
    POD_METRICS,
    PODS,
    SECRETS,
    SUBJECT_ACCESS_REVIEWS,
    TOKEN_REVIEWS,
)
from mill_kube.rights import Account, Right, Role

_FOLLOWED: Final = ("list", "watch")

RIGHTS: Final = (
    Right(MILL_DEPLOYMENTS, ("get", *_FOLLOWED, "create", "patch"), "what is deployed; got where the watch is behind"),
    Right(PODS, _FOLLOWED, "services and runs as they are"),
    Right(PODS, ("get",), "logs", subresource="log"),
    Right(POD_METRICS, ("list",), "what pods use, for `/v1/metrics`"),
    Right(JOBS, (*_FOLLOWED, "create", "delete"), "runs of tasks"),
    Right(CRON_JOBS, ("get",), "the template of a task's runs"),
    Right(CLAIMS, (*_FOLLOWED, "delete"), "volumes"),
    Right(SECRETS, ("get", "patch"), "mill's secrets", name=names.SECRET_NAME),
    Right(SECRETS, ("create",), "the first secret of a namespace; a creation cannot be limited to a name"),
)
"""In every namespace that the gateway serves."""

REVIEW_RIGHTS: Final = (
    Right(TOKEN_REVIEWS, ("create",), "whose a Kubernetes token is"),
    Right(SUBJECT_ACCESS_REVIEWS, ("create",), "what a caller may do"),
)
"""In the whole cluster, since that is where they are: reading nothing."""

NODE_RIGHTS: Final = (
    Right(NODES, _FOLLOWED, "nodes (`MILL_NODES`)"),
    Right(PODS, _FOLLOWED, "what is taken of nodes, by whomever"),
)
"""In the whole cluster, since nodes have no namespace. Not needed with `MILL_NODES=false`."""

DRAIN_RIGHTS: Final = (
    Right(NODES, ("patch", "delete"), "draining and removing nodes (`MILL_DRAIN`)"),
    Right(PODS, ("create",), "evictions, which honour disruption budgets", subresource="eviction"),
)
"""In the whole cluster. Not needed unless `MILL_DRAIN=true`."""

ACCOUNT: Final = Account(
    "mill-gateway",
    "mill_gateway.rbac",
    (
        Role(RIGHTS, "served"),
        Role(REVIEW_RIGHTS, "cluster", "-reviews"),
        Role(NODE_RIGHTS, "cluster", "-nodes"),
        Role(DRAIN_RIGHTS, "cluster", "-drain"),
    ),
)

if __name__ == "__main__":
    ACCOUNT.main()
