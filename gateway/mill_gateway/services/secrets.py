"""Secrets: the values that `${secret(…)}` stands for. They are read for each request, and cached nowhere."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from mill_api import names
from mill_gateway.core.secret import NotText, new_secret, value_of, with_value, without
from mill_gateway.exceptions.base import GatewayError
from mill_gateway.exceptions.cluster import NamespaceNotFound, RefusedByCluster
from mill_gateway.exceptions.deployments import WriteConflict
from mill_gateway.exceptions.secrets import (
    InvalidSecretName,
    SecretImmutable,
    SecretNotFound,
    SecretNotText,
    SecretsTooLarge,
)
from mill_kube.client import KubeClient
from mill_kube.errors import UNPROCESSABLE, ApiError, Conflict, NotFound
from mill_kube.resources import SECRETS
from mill_objects.json import Json

ATTEMPTS: Final = 5
NO_NAMESPACE: Final = 404
"""Status of the API server's answer to the creation of a Secret in a namespace that does not exist."""
TOO_LONG: Final = "FieldValueTooLong"

Authorize = Callable[[str], Awaitable[None]]
"""Checks the caller's access for the verb (`create`, `patch`) that is about to be sent. Raises `AccessDenied`."""


class Secrets:
    """The secrets of all namespaces, kept in one Kubernetes Secret of each."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def names(self, namespace: str) -> list[str]:
        """Return the names of a namespace's secrets, sorted."""
        return sorted((await self._read(namespace) or {}).get("data") or {})

    async def get(self, namespace: str, name: str) -> str:
        """Return a value. Raise `SecretNotFound`, or `SecretNotText` if it is not UTF-8."""
        try:
            value = value_of(await self._read(namespace) or {}, name)
        except NotText:
            raise SecretNotText from None
        if value is None:
            raise SecretNotFound(name, namespace)
        return value

    async def set(self, namespace: str, name: str, value: str, authorize: Authorize) -> None:
        """Set a value, and create the Kubernetes Secret if the namespace has none.

        Raise `InvalidSecretName`, `SecretsTooLarge`, `SecretImmutable`, `NamespaceNotFound` or `WriteConflict`.
        """
        if not re.fullmatch(names.SECRET_KEY, name) or name == "." or name.startswith(".."):
            raise InvalidSecretName
        for _ in range(ATTEMPTS):
            try:
                await authorize("patch")
                if not await self._patch_value(namespace, name, value):
                    await authorize("create")
                    body = new_secret(namespace, name, value)
                    await self._client.create(SECRETS, namespace, body, manager=names.GATEWAY_FIELD_MANAGER)
            except Conflict:
                continue  # another writer was faster
            except ApiError as error:
                raise _refusal(error, namespace) from None
            return
        raise WriteConflict("conflict: the secrets keep being recreated; try again")

    async def delete(self, namespace: str, name: str, authorize: Authorize) -> None:
        """Delete a value. Raise `SecretNotFound` or `WriteConflict`."""
        for _ in range(ATTEMPTS):
            await authorize("patch")
            found = await self._read(namespace)
            if found is None or name not in (found.get("data") or {}):
                raise SecretNotFound(name, namespace)
            try:
                await self._patch(namespace, without(name, found["metadata"]["resourceVersion"]))
            except (Conflict, NotFound):
                continue  # it has changed since it was read, or is gone
            except ApiError as error:
                raise _refusal(error, namespace) from None
            return
        raise WriteConflict("conflict: the secrets keep being changed; try again")

    async def _read(self, namespace: str) -> Json | None:
        try:
            return await self._client.get(SECRETS, namespace, names.SECRET_NAME)
        except NotFound:
            return None

    async def _patch_value(self, namespace: str, name: str, value: str) -> bool:
        """Set a value in the Secret, and return whether the Secret exists."""
        try:
            await self._patch(namespace, with_value(name, value))
        except NotFound:
            return False
        return True

    async def _patch(self, namespace: str, body: Json) -> None:
        manager = names.GATEWAY_FIELD_MANAGER
        await self._client.merge_patch(SECRETS, namespace, names.SECRET_NAME, body, manager=manager)


def _refusal(error: ApiError, namespace: str) -> GatewayError:
    """Return the failure for a refused write, without the API server's message: it may repeat a value."""
    causes = {each.get("reason") for each in error.details.get("causes") or ()}
    if error.status == UNPROCESSABLE and TOO_LONG in causes:
        return SecretsTooLarge()
    if error.status == UNPROCESSABLE:
        return SecretImmutable(f"the cluster does not take it: see whether the Secret {names.SECRET_NAME} is immutable")
    if error.status == NO_NAMESPACE:
        return NamespaceNotFound(namespace)
    status = error.status if error.status in (403, 409) else 502
    return RefusedByCluster(f"refused by the cluster: {error.reason}", status=status)
