"""What exists, for answers about names that do not: as far as the caller may know it.

The one rule of all routes: a namespace or a name that does not exist is named, with what there is. A namespace in
which something is cached exists. For any other one the API server is asked, and only for an answer that would be empty
or an error.
"""

import contextlib
from bisect import bisect
from typing import Final

from mill_api import names
from mill_gateway.access import Access, Caller
from mill_gateway.access.ttl_cache import TTLCache
from mill_gateway.exceptions.base import GatewayError, NameNotFound
from mill_gateway.exceptions.cluster import NamespaceNotFound
from mill_gateway.exceptions.deployments import DeploymentNotFound
from mill_gateway.services.registries import Registries
from mill_gateway.services.secrets import Secrets
from mill_gateway.stores import Stores
from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import KubeError, NotFound
from mill_kube.resources import CLAIMS, JOBS, MILL_DEPLOYMENTS, NAMESPACES, NODES, SECRETS
from mill_objects.key import Key

MOST_NAMES: Final = 50
"""Names in an answer."""
EXISTS_SECONDS: Final = 10.0
MISSING_SECONDS: Final = 1.0
"""How long a namespace is taken for missing: whoever creates it goes on at once."""


class Existing:
    """The names that exist."""

    def __init__(
        self, client: KubeClient, stores: Stores, access: Access, secrets: Secrets, registries: Registries
    ) -> None:
        self._client = client
        self._stores = stores
        self._access = access
        self._secrets = secrets
        self._registries = registries
        self._namespaces: TTLCache[str, bool] = TTLCache(
            lambda exists: EXISTS_SECONDS if exists else MISSING_SECONDS, cheap=lambda exists: not exists
        )

    async def require(self, namespace: str, deployment: str | None = None) -> None:
        """Check what an empty list is about: its namespace, and the MillDeployment to which it is limited.

        The caller may list it. Raise `NamespaceNotFound` or `DeploymentNotFound`.
        """
        if not await self._has_namespace(namespace):
            raise NamespaceNotFound(namespace)
        if deployment is not None and self._stores.deployments.get(Key(namespace, deployment)) is None:
            raise DeploymentNotFound(deployment, namespace)

    async def explain(self, caller: Caller, error: NameNotFound) -> NameNotFound:
        """Return the failure with the names that there are, or the one that its namespace does not exist."""
        if error.namespace is not None and not await self._has_namespace(error.namespace):
            error = NamespaceNotFound(error.namespace)
        with contextlib.suppress(GatewayError, KubeError):  # the answer is right without them
            found = await self._names(caller, error.kind, error.namespace)
            if found is not None:
                error.details["existing"] = _nearest(found, error.name)
        return error

    async def _has_namespace(self, namespace: str) -> bool:
        """Whether a namespace exists, or the API server does not say so."""
        stores = self._stores
        if any(each.has_group(namespace) for each in (stores.deployments, stores.jobs, stores.claims)):
            return True
        return await self._namespaces.get(namespace, lambda: self._read_namespace(namespace))

    async def _read_namespace(self, namespace: str) -> bool:
        try:
            await self._client.request(Request("get", NAMESPACES, None, namespace))
        except NotFound:
            return False
        except KubeError:
            return True
        return True

    async def _names(self, caller: Caller, kind: str, namespace: str | None) -> set[str] | None:
        """Return the names of a kind; None if the caller may not list them."""
        allows, stores = self._access.allows, self._stores
        match kind, namespace:
            case "namespace", None if await self._access.allows_everywhere(caller, "list", MILL_DEPLOYMENTS):
                return {each.key.namespace for each in stores.deployments.all()}
            case "node", None if stores.nodes is not None and await allows(caller, "list", NODES):
                return {each.key.name for each in stores.nodes.all()}
            case "deployment", str() if await allows(caller, "list", MILL_DEPLOYMENTS, namespace):
                return {each.key.name for each in stores.deployments.in_group(namespace)}
            case "service", str() if await allows(caller, "list", MILL_DEPLOYMENTS, namespace):
                return {each["name"] for found in stores.deployments.in_group(namespace) for each in found.services}
            case "task", str() if await allows(caller, "list", MILL_DEPLOYMENTS, namespace):
                return {each["name"] for found in stores.deployments.in_group(namespace) for each in found.tasks}
            case "run", str() if await allows(caller, "list", JOBS, namespace):
                return {each.key.name for each in stores.jobs.in_group(namespace)}
            case "volume", str() if await allows(caller, "list", CLAIMS, namespace):
                return {each.key.name for each in stores.claims.in_group(namespace)}
            case "secret", str(place) if await allows(caller, "get", SECRETS, place, names.SECRET_NAME):
                return set(await self._secrets.names(place))
            case "registry", str(place) if await allows(caller, "get", SECRETS, place, names.REGISTRIES_SECRET):
                return {each.host for each in await self._registries.list(place)}
        return None


def _nearest(found: set[str], wanted: str) -> list[str]:
    """Return the names around the wanted one in their order, at most `MOST_NAMES`."""
    ordered = sorted(found)
    first = max(0, min(bisect(ordered, wanted) - MOST_NAMES // 2, len(ordered) - MOST_NAMES))
    return ordered[first : first + MOST_NAMES]
