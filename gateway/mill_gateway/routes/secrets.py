"""`/v1/secrets`: the values that `${secret(…)}` stands for. They are read for each request, and kept nowhere."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from mill_api import names
from mill_gateway.access import CurrentCaller
from mill_gateway.core.secret import NotText, new_secret, value_of, with_value, without
from mill_gateway.exceptions import (
    GatewayError,
    InvalidSecretName,
    NamespaceNotFound,
    RefusedByCluster,
    SecretImmutable,
    SecretNotFound,
    SecretNotText,
    SecretsTooLarge,
    WriteConflict,
)
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.openapi import failures, json_request
from mill_gateway.routes.bodies import json_body
from mill_gateway.routes.parameters import InNamespace, Text
from mill_gateway.services.deployments import MANAGER
from mill_kube.client import ApiError, Conflict, NotFound
from mill_kube.resources import SECRETS

router = APIRouter(tags=["secrets"])

ATTEMPTS: Final = 5
UNPROCESSABLE: Final = 422
NO_NAMESPACE: Final = 404
"""What the API server says of a Secret that is made where no namespace is."""
TOO_LONG: Final = "FieldValueTooLong"
NOT_STORED: Final = {"Cache-Control": "no-store"}

SecretName = Annotated[
    str, Path(alias="name", description="Letters, digits, `-`, `_` and `.`; at most 253.", examples=["db.url"])
]


class SecretListed(BaseModel):
    """A secret, without its value."""

    name: str = Field(examples=["db.url"])


class Secret(SecretListed):
    """A secret."""

    value: str = Field(examples=["postgres://shop@db/shop"])


class SecretValue(BaseModel):
    """What a secret is to be."""

    value: Text = Field(description="Any text, also an empty one.", examples=["postgres://shop@db/shop"])


@router.get("/v1/secrets", summary="List secrets")
async def list_secrets(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, response: Response
) -> list[SecretListed]:
    """Return the names of a namespace's secrets. It takes the right to read them: Kubernetes has none for names."""
    await gateway.access.require(caller, "get", SECRETS, namespace, names.SECRET_NAME)
    response.headers.update(NOT_STORED)
    found = await _read(gateway, namespace)
    return [SecretListed(name=each) for each in sorted((found or {}).get("data") or {})]


@router.get("/v1/secrets/{name}", summary="Show a secret")
async def get_secret(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: SecretName, response: Response
) -> Secret:
    """Return a secret's value."""
    await gateway.access.require(caller, "get", SECRETS, namespace, names.SECRET_NAME)
    response.headers.update(NOT_STORED)
    try:
        value = value_of(await _read(gateway, namespace) or {}, name)
    except NotText:
        raise SecretNotText from None
    if value is None:
        raise SecretNotFound
    return Secret(name=name, value=value)


@router.put(
    "/v1/secrets/{name}",
    summary="Set a secret",
    status_code=204,
    responses=failures(409, 415),
    openapi_extra=json_request(SecretValue),
)
async def set_secret(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: SecretName, request: Request
) -> None:
    """Set a secret, new or not. Services that use it have the new value when they start next (`/v1/restart`)."""

    async def may(verb: str) -> None:
        await gateway.access.require(caller, verb, SECRETS, namespace, names.SECRET_NAME)

    await may("patch")
    wanted = await json_body(request, SecretValue)
    if not re.fullmatch(names.SECRET_KEY, name) or name == "." or name.startswith(".."):
        raise InvalidSecretName
    for _ in range(ATTEMPTS):
        try:
            await may("patch")  # once more: the caller decides how long a body takes
            if not await _changed(gateway, namespace, name, wanted.value):
                await may("create")
                await gateway.client.create(
                    SECRETS, namespace, new_secret(namespace, name, wanted.value), manager=MANAGER
                )
        except Conflict:
            continue  # somebody else was faster
        except ApiError as error:
            raise _refusal(error) from None
        return
    raise WriteConflict("conflict: the secrets keep being recreated; try again")


@router.delete("/v1/secrets/{name}", summary="Delete a secret", status_code=204, responses=failures(409))
async def delete_secret(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: SecretName) -> None:
    """Delete a secret. Who uses it goes on with the value that it has, and cannot start anew."""
    for _ in range(ATTEMPTS):
        await gateway.access.require(caller, "patch", SECRETS, namespace, names.SECRET_NAME)
        found = await _read(gateway, namespace)
        if found is None or name not in (found.get("data") or {}):
            raise SecretNotFound
        try:
            await _patch(gateway, namespace, without(name, found["metadata"]["resourceVersion"]))
        except (Conflict, NotFound):
            continue  # changed meanwhile: perhaps it is gone
        except ApiError as error:
            raise _refusal(error) from None
        return
    raise WriteConflict("conflict: the secrets keep being changed; try again")


async def _read(gateway: Gateway, namespace: str) -> dict[str, Any] | None:
    try:
        return await gateway.client.get(SECRETS, namespace, names.SECRET_NAME)
    except NotFound:
        return None


async def _changed(gateway: Gateway, namespace: str, name: str, value: str) -> bool:
    """Set a value in the Secret, and tell whether there is one."""
    try:
        await _patch(gateway, namespace, with_value(name, value))
    except NotFound:
        return False
    return True


async def _patch(gateway: Gateway, namespace: str, body: dict[str, Any]) -> None:
    await gateway.client.merge_patch(SECRETS, namespace, names.SECRET_NAME, body, manager=MANAGER)


def _refusal(error: ApiError) -> GatewayError:
    """Say that a write was refused, without the API server's words: they may repeat a value."""
    causes = {each.get("reason") for each in error.details.get("causes") or ()}
    if error.status == UNPROCESSABLE and TOO_LONG in causes:
        return SecretsTooLarge()
    if error.status == UNPROCESSABLE:
        return SecretImmutable(f"the cluster does not take it: see whether the Secret {names.SECRET_NAME} is immutable")
    if error.status == NO_NAMESPACE:
        return NamespaceNotFound()
    status = error.status if error.status in (403, 409) else 502
    return RefusedByCluster(f"refused by the cluster: {error.reason}", status=status)
