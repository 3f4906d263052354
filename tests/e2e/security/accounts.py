"""ServiceAccounts of a test's own with exactly the rights that it names, and their tokens."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from tests.e2e.conftest import Namespace
from tests.e2e.gateway.process import GatewayProcess

DEPLOYMENTS = "milldeployments.mill.dev"


@dataclass(frozen=True)
class Rule:
    """What an account may do with a resource, as kubectl names it (`pods/log`, `milldeployments.mill.dev`)."""

    resource: str
    verbs: Sequence[str]
    names: Sequence[str] = ()

    def to_rule(self) -> dict[str, list[str]]:
        """Return the rule of a Role."""
        resource, _, group = self.resource.partition(".")
        rule = {"apiGroups": [group], "resources": [resource], "verbs": [*self.verbs]}
        return {**rule, "resourceNames": [*self.names]} if self.names else rule


@dataclass(frozen=True)
class Account:
    """Somebody with a token."""

    namespace: Namespace
    name: str

    def token(self, *options: str) -> str:
        """Make a token (`--audience mill`)."""
        return self.namespace.kubectl("create", "token", self.name, *options).strip()

    def client(self, gateway: GatewayProcess) -> httpx.Client:
        """Return a client that calls as this account, in its namespace."""
        return gateway.client(
            headers={"Authorization": f"Bearer {self.token()}"}, params={"namespace": self.namespace.name}
        )


def account(namespace: Namespace, name: str, *rules: Rule) -> Account:
    """Make an account with these rights and no others."""

    def manifest(kind: str, group: str, **content: object) -> dict[str, object]:
        return {"apiVersion": f"{group}v1", "kind": kind, "metadata": {"name": name}, **content}

    authorization = "rbac.authorization.k8s.io/"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace.name}
    role = {"apiGroup": authorization.rstrip("/"), "kind": "Role", "name": name}
    objects = [
        manifest("ServiceAccount", ""),
        manifest("Role", authorization, rules=[each.to_rule() for each in rules]),
        manifest("RoleBinding", authorization, subjects=[subject], roleRef=role),
    ]
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return Account(namespace, name)
