"""Rights of the gateway's own account, which it uses for all callers: the only source of its roles.

`access` checks the rights of callers.
"""

from typing import Final

from mill_api import names
from mill_kube.resources import (
    CLAIMS,
    CONTROLLER_REVISIONS,
    CRON_JOBS,
    INGRESSES,
    JOBS,
    MILL_DEPLOYMENTS,
    NAMESPACES,
    NODES,
    POD_METRICS,
    PODS,
    SECRETS,
    SUBJECT_ACCESS_REVIEWS,
    TOKEN_REVIEWS,
)
from mill_kube.rights import Account, Right, Role

_CACHED: Final = ("list", "watch")

RIGHTS: Final = (
    Right(
        MILL_DEPLOYMENTS,
        ("get", *_CACHED, "create", "patch", "delete"),
        "what is deployed, read again where the cache may be old; `mill delete`",
    ),
    Right(CONTROLLER_REVISIONS, ("list",), "revisions, for `mill history` and `mill rollback`"),
    Right(PODS, _CACHED, "replicas of services and runs"),
    Right(PODS, ("get",), "logs of replicas", subresource="log"),
    Right(POD_METRICS, ("list",), "resource usage of pods, for `/v1/metrics`"),
    Right(JOBS, (*_CACHED, "create", "delete"), "runs of tasks"),
    Right(CRON_JOBS, ("get",), "template of a task's runs"),
    Right(CLAIMS, (*_CACHED, "delete"), "volumes"),
    Right(INGRESSES, _CACHED, "whether an ingress controller serves a route, and its address"),
    Right(NAMESPACES, ("get",), "whether a namespace exists, where nothing of it is cached"),
    Right(SECRETS, ("get", "patch"), "Mill's secrets", name=names.SECRET_NAME),
    Right(SECRETS, ("get", "patch"), "credentials of registries", name=names.REGISTRIES_SECRET),
    Right(SECRETS, ("create",), "first secret of a namespace; RBAC cannot limit a creation to a name"),
)
"""Needed in every namespace that the gateway serves."""

REVIEW_RIGHTS: Final = (
    Right(TOKEN_REVIEWS, ("create",), "user of a Kubernetes token"),
    Right(SUBJECT_ACCESS_REVIEWS, ("create",), "rights of a caller"),
)
"""Needed in the whole cluster, since reviews have no namespace. They give access to no object."""

NODE_RIGHTS: Final = (
    Right(NODES, _CACHED, "nodes (`MILL_NODES=true`)"),
    Right(PODS, _CACHED, "resources that pods of any owner request on nodes"),
)
"""Needed in the whole cluster, since nodes have no namespace, unless `MILL_NODES=false`."""

DRAIN_RIGHTS: Final = (
    Right(NODES, ("patch", "delete"), "draining and removing nodes (`MILL_DRAIN=true`)"),
    Right(PODS, ("create",), "evictions, which respect disruption budgets", subresource="eviction"),
)
"""Needed in the whole cluster with `MILL_DRAIN=true`."""

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
