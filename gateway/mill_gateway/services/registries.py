"""Credentials of registries, in one Kubernetes Secret of each namespace: read for each request, cached nowhere."""

from mill_api import names
from mill_gateway.core.registries import (
    KEY,
    MOST_REGISTRIES,
    Registry,
    UnreadableCredentials,
    new_registries_secret,
    registries_of,
    with_registry,
    without_registry,
)
from mill_gateway.exceptions.base import GatewayError
from mill_gateway.exceptions.cluster import NamespaceNotFound, RefusedByCluster
from mill_gateway.exceptions.deployments import WriteConflict
from mill_gateway.exceptions.registries import RegistriesUnreadable, RegistryNotFound, TooManyRegistries
from mill_gateway.services.secrets import ATTEMPTS, Authorize
from mill_kube.client import KubeClient
from mill_kube.errors import UNPROCESSABLE, ApiError, Conflict, NotFound
from mill_kube.resources import SECRETS
from mill_objects.json import Json


class Registries:
    """The registries for which namespaces have credentials."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def list(self, namespace: str) -> list[Registry]:
        """Return the registries of a namespace, by host. Raise `RegistriesUnreadable`."""
        try:
            return registries_of(await self._read(namespace) or {})
        except UnreadableCredentials as error:
            raise _unreadable(error) from None

    async def login(self, namespace: str, host: str, username: str, password: str, authorize: Authorize) -> None:
        """Set the credentials of a registry. Raise `RegistriesUnreadable`, `TooManyRegistries` or `WriteConflict`."""
        for _ in range(ATTEMPTS):
            await authorize("patch")
            found = await self._read(namespace)
            try:
                known = {each.host for each in registries_of(found or {})}
                encoded = with_registry(found, host, username, password)
            except UnreadableCredentials as error:
                raise _unreadable(error) from None
            if len(known | {host}) > MOST_REGISTRIES:
                raise TooManyRegistries
            if found is None:
                await authorize("create")
            if await self._write(namespace, found, encoded):
                return
        raise WriteConflict("conflict: the credentials keep being changed; try again")

    async def logout(self, namespace: str, host: str, authorize: Authorize) -> None:
        """Remove the credentials of a registry. Raise `RegistryNotFound`, `RegistriesUnreadable` or `WriteConflict`."""
        for _ in range(ATTEMPTS):
            await authorize("patch")
            found = await self._read(namespace)
            try:
                encoded = None if found is None else without_registry(found, host)
            except UnreadableCredentials as error:
                raise _unreadable(error) from None
            if encoded is None:
                raise RegistryNotFound(host, namespace)
            if await self._write(namespace, found, encoded):
                return
        raise WriteConflict("conflict: the credentials keep being changed; try again")

    async def _read(self, namespace: str) -> Json | None:
        try:
            return await self._client.get(SECRETS, namespace, names.REGISTRIES_SECRET)
        except NotFound:
            return None

    async def _write(self, namespace: str, found: Json | None, encoded: str) -> bool:
        """Write the document if the Secret is still as it was found. Return False if it is not."""
        manager = names.GATEWAY_FIELD_MANAGER
        try:
            if found is None:
                body = new_registries_secret(namespace, encoded)
                await self._client.create(SECRETS, namespace, body, manager=manager)
            else:
                patch = {
                    "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                    "data": {KEY: encoded},
                }
                await self._client.merge_patch(SECRETS, namespace, names.REGISTRIES_SECRET, patch, manager=manager)
        except Conflict:
            return False
        except NotFound:
            if found is None:
                raise NamespaceNotFound(namespace) from None
            return False
        except ApiError as error:  # without its message, which may repeat the document
            if error.status == UNPROCESSABLE:
                why = f"see whether the Secret {names.REGISTRIES_SECRET} is immutable, or would have more than 1 MiB"
                raise RegistriesUnreadable(f"the cluster does not take it: {why}") from None
            status = error.status if error.status in (403, 409) else 502
            raise RefusedByCluster(f"refused by the cluster: {error.reason}", status=status) from None
        return True


def _unreadable(error: UnreadableCredentials) -> GatewayError:
    return RegistriesUnreadable(
        f"mill cannot change the Secret {names.REGISTRIES_SECRET}: {error}; delete it, and log in again"
    )
