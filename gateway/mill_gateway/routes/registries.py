"""`/v1/registries`: the registries for which a namespace has credentials."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from mill_api import names
from mill_gateway.access import CurrentCaller
from mill_gateway.core.registries import Registry, host_of
from mill_gateway.exceptions.registries import InvalidRegistry
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import failures, json_request
from mill_gateway.routes.bodies import json_body
from mill_gateway.routes.parameters import InNamespace, Text
from mill_gateway.routes.secrets import NOT_STORED, require_secret
from mill_kube.resources import SECRETS

router = APIRouter(tags=["registries"])

Host = Annotated[str, Query(max_length=512, description="Host of the registry.", examples=["ghcr.io"])]


def _username(given: str) -> str:
    if ":" in given:
        raise PydanticCustomError("username", "has a colon: nodes take what follows it for part of the password")
    return given


class Credentials(BaseModel):
    """The credentials of a registry."""

    host: Text = Field(max_length=512, description="Host, as image names have it.", examples=["ghcr.io"])
    username: Annotated[Text, AfterValidator(_username)] = Field(min_length=1, max_length=512, examples=["shop-ci"])
    password: Text = Field(min_length=1, max_length=16384, description="Password or token.", examples=["ghp_…"])


@router.get("/v1/registries", summary="List registries", responses=failures(409))
async def list_registries(
    gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, response: Response
) -> list[Registry]:
    """Return the registries for which a namespace has credentials, without the passwords."""
    await gateway.access.require(caller, "get", SECRETS, namespace, names.REGISTRIES_SECRET)
    response.headers.update(NOT_STORED)
    found = await gateway.registries.list(namespace)
    if not found:
        await gateway.existing.require(namespace)
    return found


@router.put(
    "/v1/registries",
    summary="Log in to a registry",
    status_code=204,
    responses=failures(409, 415),
    openapi_extra=json_request(Credentials),
)
async def login(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, request: Request) -> None:
    """Set the credentials of a registry, new or not. The gateway does not try them.

    Kubelets use them for services and tasks that say `pull = "mill-registries"`, or for all where the operator's
    `MILL_PULL_SECRET` says so.
    """
    authorize = partial(require_secret, gateway, caller, namespace, names.REGISTRIES_SECRET)
    await authorize("patch")
    given = await json_body(request, Credentials)
    await gateway.registries.login(namespace, _host(given.host), given.username, given.password, authorize)


@router.delete("/v1/registries", summary="Log out of a registry", status_code=204, responses=failures(409))
async def logout(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace, host: Host) -> None:
    """Remove the credentials of a registry. Nodes keep the images that they have."""
    authorize = partial(require_secret, gateway, caller, namespace, names.REGISTRIES_SECRET)
    await authorize("patch")
    await gateway.registries.logout(namespace, _host(host), authorize)


def _host(given: str) -> str:
    host = host_of(given)
    if host is None:
        raise InvalidRegistry
    return host
