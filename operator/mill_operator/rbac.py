"""What the operator may do: exactly what it does. The one source of its roles.

`python -m mill_operator.rbac` prints the manifests; `--write FILE` and `--check FILE` keep the file in the repository
up to date, `--namespace NAME` prints those of an operator that looks after one namespace only (`MILL_NAMESPACE`).
A test on a real cluster compares this table with the requests that the operator makes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from mill_api.kube.calls import Call
from mill_api.kube.resources import (
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
    Resource,
)
from mill_operator import election

Manifest = dict[str, Any]

NAME: Final = "mill-operator"
SYSTEM_NAMESPACE: Final = "mill-system"
"""Where the operator runs, if nobody chooses another namespace."""


@dataclass(frozen=True, slots=True)
class Right:
    """What may be done with a kind of object, and what for."""

    resource: Resource
    verbs: tuple[str, ...]
    why: str
    subresource: str | None = None
    name: str | None = None
    """The only object that it is about."""

    def calls(self) -> Iterator[Call]:
        """Yield the requests that it allows."""
        return (Call(verb, self.resource, self.subresource) for verb in self.verbs)

    def rule(self) -> Manifest:
        """Return the rule of a role."""
        plural = f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural
        names = {"resourceNames": [self.name]} if self.name else {}
        return {"apiGroups": [self.resource.group], "resources": [plural], **names, "verbs": list(self.verbs)}

    def __str__(self) -> str:
        """Return a line for people."""
        return f"{next(self.calls()).target}: {', '.join(self.verbs)} ({self.why})"


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
    Right(LEASES, (*_FOLLOWED, "update"), "replicas take turns", name=election.NAME),
)
"""In the operator's own namespace."""

ALL_RIGHTS: Final = (*RIGHTS, *NODE_RIGHTS, *LEASE_RIGHTS)


def manifests(namespace: str | None = None, *, system: str = SYSTEM_NAMESPACE) -> list[Manifest]:
    """Return the account, in the namespace `system`, and its roles: in the whole cluster, or in `namespace`."""
    kind = "Role" if namespace else "ClusterRole"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": system}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": system}},
        _role(kind, NAME, RIGHTS, namespace),
        _binding(kind, NAME, namespace, system),
        _role("ClusterRole", f"{NAME}-nodes", NODE_RIGHTS, None),
        _binding("ClusterRole", f"{NAME}-nodes", None, system),
        _role("Role", f"{NAME}-lease", LEASE_RIGHTS, system),
        _binding("Role", f"{NAME}-lease", system, system),
    ]


def _meta(name: str, namespace: str | None) -> Manifest:
    return {"name": name, "namespace": namespace} if namespace else {"name": name}


def _role(kind: str, name: str, rights: Sequence[Right], namespace: str | None) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": _meta(name, namespace),
        "rules": [right.rule() for right in rights],
    }


def _binding(kind: str, name: str, namespace: str | None, system: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": _meta(name, namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": system}],
    }


def render(namespace: str | None = None) -> str:
    """Return the manifests as YAML, each right with its reason."""
    reasons = "".join(f"# - {right}\n" for right in ALL_RIGHTS)
    header = f"# Generated by `python -m mill_operator.rbac`; do not edit.\n#\n{reasons}"
    return header + yaml.safe_dump_all(manifests(namespace), sort_keys=False, explicit_start=True, width=120)


def main() -> int:
    """Print, write or check the manifests; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mill_operator.rbac", description="Print the operator's roles.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--write", type=Path, metavar="FILE")
    action.add_argument("--check", type=Path, metavar="FILE")
    parser.add_argument("--namespace", help="the only namespace that the operator looks after")
    options = parser.parse_args()
    text = render(options.namespace)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(text)
    elif options.check:
        if not options.check.exists() or options.check.read_text() != text:
            print(f"{options.check} is stale: run `make generate`", file=sys.stderr)
            return 1
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
