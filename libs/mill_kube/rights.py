"""Rights of a component in the cluster, as one table: its account and roles are made of it, and nothing else grants.

`python -m mill_operator.rbac --namespace NAME` prints the manifests of a component that serves one namespace. Tests on
a real cluster compare the tables with the requests that are made.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import yaml

from mill_kube.calls import Call
from mill_kube.resources import Resource

Manifest = dict[str, Any]

SYSTEM_NAMESPACE: Final = "mill-system"
"""The default namespace of our components."""


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs that are granted on a kind of object, and the reason."""

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


@dataclass(frozen=True, slots=True)
class Role:
    """Rights that are given together."""

    rights: tuple[Right, ...]
    where: Literal["served", "cluster", "own"]
    """In the namespaces that the component looks after; in the whole cluster; in the component's own namespace."""
    suffix: str = ""
    """After the component's name: `-nodes`."""


@dataclass(frozen=True, slots=True)
class Account:
    """A component's ServiceAccount and roles."""

    name: str
    module: str
    """The module whose command line prints them."""
    roles: tuple[Role, ...]

    @property
    def rights(self) -> tuple[Right, ...]:
        """The rights of all roles."""
        return tuple(right for role in self.roles for right in role.rights)

    def manifests(self, namespace: str | None = None, *, system: str = SYSTEM_NAMESPACE) -> list[Manifest]:
        """Return the account, in the namespace `system`, and its roles: in the whole cluster, or in `namespace`."""
        made: list[Manifest] = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": system}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": self.name, "namespace": system}},
        ]
        for role in self.roles:
            place = {"served": namespace, "cluster": None, "own": system}[role.where]
            kind = "Role" if place else "ClusterRole"
            made += [
                _role(kind, self.name + role.suffix, role.rights, place),
                _binding(kind, self.name, role.suffix, place, system),
            ]
        return made

    def render(self, namespace: str | None = None) -> str:
        """Return the manifests as YAML, each right with its reason."""
        reasons = "".join(f"# - {right}\n" for right in self.rights)
        header = f"# Generated from {self.module} by `make generate`; do not edit.\n#\n{reasons}"
        return header + yaml.safe_dump_all(self.manifests(namespace), sort_keys=False, explicit_start=True, width=120)

    def render_roles(self) -> str:
        """Return the roles for the Helm chart, which names and places them: `roles: [{suffix, where, rules}]`."""
        roles = [
            {"suffix": role.suffix, "where": role.where, "rules": [right.rule() for right in role.rights]}
            for role in self.roles
        ]
        header = f"# Generated from {self.module} by `make generate`; do not edit.\n"
        return header + yaml.safe_dump({"roles": roles}, sort_keys=False, width=120)

    def main(self) -> None:
        """Print the manifests, for all namespaces or for one."""
        parser = argparse.ArgumentParser(
            prog=f"python -m {self.module}", description=f"Print the roles of {self.name}."
        )
        parser.add_argument("--namespace", help="the only namespace that it serves")
        sys.stdout.write(self.render(parser.parse_args().namespace))


def _meta(name: str, namespace: str | None) -> Manifest:
    return {"name": name, "namespace": namespace} if namespace else {"name": name}


def _role(kind: str, name: str, rights: Sequence[Right], namespace: str | None) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": _meta(name, namespace),
        "rules": [right.rule() for right in rights],
    }


def _binding(kind: str, account: str, suffix: str, namespace: str | None, system: str) -> Manifest:
    name = account + suffix
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": _meta(name, namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": system}],
    }
