"""The rights of the operator: exactly those that it uses. The one source of its roles."""

from typing import Final

from mill_api import names
from mill_kube.resources import (
    CLAIMS,
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    CRON_JOBS,
    DEPLOYMENTS,
    EVENTS,
    INGRESSES,
    JOBS,
    LEASES,
    MILL_DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
)
from mill_kube.rights import Account, Right, Role

_FOLLOWED: Final = ("list", "watch")
_WRITTEN: Final = ("get", *_FOLLOWED, "create", "patch")
"""Server-side apply is a patch, and also a create where there is no such object; its name is read first."""
_OWNED: Final = (*_WRITTEN, "delete")

RIGHTS: Final = (
    Right(MILL_DEPLOYMENTS, ("get", *_FOLLOWED), "the specs; read again where the resource may be gone"),
    Right(MILL_DEPLOYMENTS, ("patch",), "the verdict", subresource="status"),
    Right(DEPLOYMENTS, _OWNED, "a service's pods"),
    Right(REPLICA_SETS, ("list",), "the last good version of a service with volumes"),
    Right(SERVICES, _OWNED, "a service's address"),
    Right(INGRESSES, _OWNED, "a service's routes"),
    Right(NAMESPACES, ("get",), "annotations that say which hosts and routes services may have"),
    Right(CRON_JOBS, _OWNED, "tasks"),
    Right(CLAIMS, _WRITTEN, "volumes; never deleted, they hold data"),
    Right(CONFIG_MAPS, _OWNED, "files of services and tasks; deleted when no version needs them"),
    Right(JOBS, (*_FOLLOWED, "patch"), "runs of tasks; adopted by the MillDeployment when their task is removed"),
    Right(JOBS, ("get", "create", "delete"), "runs of tasks in rollouts; deleted if their program cannot start"),
    Right(
        CONTROLLER_REVISIONS,
        ("get", "list", "create", "update", "delete"),
        "revisions: the spec of each rollout, and what became of it",
    ),
    Right(PODS, (*_FOLLOWED, "delete"), "evidence; stale pods are deleted when a rollout starts"),
    Right(EVENTS, ("get", "list", "create", "patch"), "lookups of causes that pods do not report; Events of verdicts"),
)
"""In every namespace that the operator watches."""

NODE_RIGHTS: Final = (
    Right(
        NODES,
        ("get", "list"),
        "a node's platform, whether it is ready; what the largest can allocate, if a pod has no room",
    ),
)
"""In the whole cluster, since nodes have no namespace. Without them, reasons lack that detail."""

LEASE_RIGHTS: Final = (
    Right(LEASES, ("create",), "the first replica creates the Lease; the right to create cannot be limited to a name"),
    Right(LEASES, (*_FOLLOWED, "update"), "leader election", name=names.LEASE_NAME),
)
"""In the operator's own namespace."""

ACCOUNT: Final = Account(
    "mill-operator",
    "mill_operator.rbac",
    (
        Role(RIGHTS, "served"),
        Role(NODE_RIGHTS, "cluster", "-nodes"),
        Role(LEASE_RIGHTS, "own", "-lease"),
    ),
)

if __name__ == "__main__":
    ACCOUNT.main()
