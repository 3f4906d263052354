"""What a list is about: one namespace or all, and there all MillDeployments or one."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query

from mill_gateway.access import Caller
from mill_gateway.exceptions.requests import InvalidParameters
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.routes.parameters import NamespaceName, OfDeployment
from mill_gateway.stores import Store
from mill_kube.resources import Resource


@dataclass(frozen=True, slots=True)
class Scope:
    """The namespaces and MillDeployments of a list."""

    namespace: str | None
    """None: all namespaces."""
    name: str | None
    """Name of a MillDeployment; None: all."""

    async def namespaces(self, gateway: Gateway, caller: Caller, resource: Resource, store: Store[Any]) -> list[str]:
        """Return the namespaces, of all those in which the store has objects. Raise `AccessDenied`."""
        if self.namespace is not None:
            await gateway.access.require(caller, "list", resource, self.namespace)
            return [self.namespace]
        limited = await gateway.access.require_everywhere(caller, "list", resource)
        cached = {str(each) for each in store.groups()}
        return sorted(cached if limited is None else cached & limited)

    async def require_existing(self, gateway: Gateway) -> None:
        """Check what an empty list is about. Raise `NamespaceNotFound` or `DeploymentNotFound`."""
        if self.namespace is not None:
            await gateway.existing.require(self.namespace, self.name)


def _scope(
    gateway: ReadyGateway,
    namespace: NamespaceName = None,
    name: OfDeployment = None,
    *,
    everywhere: Annotated[
        bool, Query(alias="allNamespaces", description="List all namespaces. The caller needs the right in all.")
    ] = False,
) -> Scope:
    if not everywhere:
        return Scope(namespace or gateway.settings.default_namespace, name)
    if namespace is not None:
        raise InvalidParameters("bad parameters: query.allNamespaces: excludes namespace")
    return Scope(None, name)


ListScope = Annotated[Scope, Depends(_scope)]
"""What a list is about, from `?namespace=`, `?name=` and `?allNamespaces=`."""
