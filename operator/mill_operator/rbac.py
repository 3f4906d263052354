"""What the operator may do: exactly what it does. The one source of its roles."""

from typing import Final

from mill_api import names
from mill_kube.resources import (
    CLAIMS,
    CRON_JOBS,
    DEPLOYMENTS,
    EVENTS,
    INGRESSES,
    JOBS,
    LEASES,
    MILL_DEPLOYMENTS,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
)
from mill_kube.rights import Account, Right, Role

_FOLLOWED: Final = ("list", "watch")
_WRITTEN: Final = ("get", *_FOLLOWED, "create", "patch")
"""Server-side apply is a patch, and a create as well where there is no such object; before, its name is looked for."""
_OWNED: Final = (*_WRITTEN, "delete")

RIGHTS: Final = (
    Right(MILL_DEPLOYMENTS, ("get", *_FOLLOWED), "what is asked for; got where it may be gone by now"),
    Right(MILL_DEPLOYMENTS, ("patch",), "the verdict", subresource="status"),
    Right(DEPLOYMENTS, _OWNED, "a service's pods"),
    Right(REPLICA_SETS, ("list",), "the last good version of a service with volumes"),
    Right(SERVICES, _OWNED, "a service's address"),
    Right(INGRESSES, _OWNED, "a service's routes"),
    Right(CRON_JOBS, _OWNED, "tasks"),
    Right(CLAIMS, _WRITTEN, "volumes; never deleted, they hold data"),
    Right(JOBS, (*_FOLLOWED, "patch"), "runs of tasks; made the MillDeployment's own where they outlive their task"),
    Right(PODS, (*_FOLLOWED, "delete"), "evidence; deleted where who asks again wants new ones"),
    Right(EVENTS, ("get", "list", "create", "patch"), "what pods do not say themselves; verdicts for people"),
)
"""In every namespace that the operator looks after."""

NODE_RIGHTS: Final = (Right(NODES, ("get",), "the platform of a node, and whether it answers"),)
"""In the whole cluster, since nodes have no namespace. Without them, reasons lack that detail."""

LEASE_RIGHTS: Final = (
    Right(LEASES, ("create",), "the first replica makes the Lease; a creation cannot be limited to a name"),
    Right(LEASES, (*_FOLLOWED, "update"), "replicas take turns", name=names.LEASE_NAME),
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
