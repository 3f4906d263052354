"""`/v1/secrets`: the values that `${secret(…)}` stands for."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from mill_api import names
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.openapi import failures, json_request
from mill_gateway.routes.bodies import json_body
from mill_gateway.routes.parameters import InNamespace, Text
from mill_kube.resources import SECRETS

router = APIRouter(tags=["secrets"])

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
    """The new value of a secret."""

    value: Text = Field(description="Any text; it may be empty.", examples=["postgres://shop@db/shop"])


@router.get("/v1/secrets", summary="List secrets")
async def list_secrets(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, response: Response
) -> list[SecretListed]:
    """Return the names of a namespace's secrets. It needs the right to read them: Kubernetes has none for names."""
    await gateway.access.require(caller, "get", SECRETS, namespace, names.SECRET_NAME)
    response.headers.update(NOT_STORED)
    found = await gateway.secrets.names(namespace)
    if not found:
        await gateway.existing.require(namespace)
    return [SecretListed(name=each) for each in found]


@router.get("/v1/secrets/{name}", summary="Show a secret")
async def get_secret(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: SecretName, response: Response
) -> Secret:
    """Return a secret's value."""
    await gateway.access.require(caller, "get", SECRETS, namespace, names.SECRET_NAME)
    response.headers.update(NOT_STORED)
    return Secret(name=name, value=await gateway.secrets.get(namespace, name))


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
    """Set a secret, new or not. Services get the new value at their next start (`/v1/restart`)."""
    authorize = partial(require_secret, gateway, caller, namespace, names.SECRET_NAME)
    await authorize("patch")
    wanted = await json_body(request, SecretValue)
    await gateway.secrets.set(namespace, name, wanted.value, authorize)


@router.delete("/v1/secrets/{name}", summary="Delete a secret", status_code=204, responses=failures(409))
async def delete_secret(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, name: SecretName) -> None:
    """Delete a secret. Running programs keep the value; programs that use it cannot start any more."""
    await gateway.secrets.delete(
        namespace, name, partial(require_secret, gateway, caller, namespace, names.SECRET_NAME)
    )


async def require_secret(gateway: Gateway, caller: Caller, namespace: str, secret: str, verb: str) -> None:
    """Check the caller's access to one Secret of a namespace. Raise `AccessDenied`."""
    await gateway.access.require(caller, verb, SECRETS, namespace, secret)
