"""`POST /v1/deploy`: a `.mill` file in, the rollout's events out."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from mill_api.spec import MillDeploymentSpec
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.difference import Difference, difference
from mill_gateway.exceptions import InvalidMillFile
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.openapi import ROLLOUT, failures
from mill_gateway.routes.parameters import Detail, Target
from mill_gateway.services.deployments import Authorise, WriteOptions, asked_for, spec_of, write
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.rollout import rollout_response
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_language import InvalidConfig, parse
from mill_objects.key import Key

router = APIRouter(tags=["deploy"])

Force = Annotated[
    bool,
    Query(description="Write although Argo CD or Flux manages the resource: its next sync puts back what it manages."),
]
DryRun = Annotated[
    bool, Query(alias="dryRun", description="Change nothing: have the API server check it, and tell what would change.")
]


FILE: Final = {
    "schema": {"type": "string"},
    "example": 'service "web" {\n  image = "registry.example/web:2"\n  port  = 8080\n}\n',
}
BODY: Final = "The file, in UTF-8. Services that it does not have are removed; all of them if it is empty."


class Plan(Difference):
    """The answer to a dry run."""

    name: str
    namespace: str
    created: bool
    """Whether there is no such MillDeployment yet."""


@router.post(
    "/v1/deploy",
    summary="Deploy a .mill file",
    response_class=Response,
    responses={
        200: {
            "description": "The rollout's events; of a dry run, what would change.",
            "content": {**ROLLOUT[200]["content"], "application/json": {"schema": Plan.model_json_schema()}},
        },
        **failures(409),
    },
    openapi_extra={"requestBody": {"description": BODY, "content": {"text/plain": FILE}}},
)
async def deploy(
    request: Request,
    gateway: ReadyGateway,
    caller: CurrentCaller,
    target: Target,
    *,
    force: Force = False,
    dry_run: DryRun = False,
    detail: Detail = "default",
) -> Response:
    """Write the MillDeployment and stream its rollout.

    The status is 200 from the moment the resource is written, whatever comes then: the verdict is in the stream's
    last event, `done {"success": …}`. With `dryRun=true` the answer is JSON: what would change, service by service.
    """
    deployments = gateway.stores.deployments
    verb = "patch" if deployments.get(target) else "create"

    async def may(who: Caller) -> None:
        """Ask for what is written, and for what the answer tells: evidence and differences are for who may get it."""
        await gateway.access.require(who, verb, MILL_DEPLOYMENTS, *target)
        if dry_run or detail == "full":
            await gateway.access.require(who, "get", MILL_DEPLOYMENTS, *target)

    async def authorise(asked: str) -> None:
        nonlocal verb
        verb = asked
        await may(caller)

    await authorise(verb)  # before the body, which is read for nobody else
    spec = await _spec(request)
    found = deployments.get(target)  # as it is now: the caller decides how long a body takes
    known = {"metadata": found.metadata, "spec": found.spec} if found else None
    if dry_run:
        return JSONResponse(
            await _plan(gateway, target, spec, known, WriteOptions(force=force, dry_run=True), authorise)
        )
    with gateway.streams.take("rollout", caller) as place:
        written = await write(gateway.client, target, spec, known, WriteOptions(force=force), authorise=authorise)
        deployments.put(written)
        guard = Guard(place, may)
        return rollout_response(gateway, target, *asked_for(written), guard=guard, full=detail == "full")


async def _plan(
    gateway: Gateway,
    target: Key,
    spec: MillDeploymentSpec,
    known: dict[str, Any] | None,
    options: WriteOptions,
    authorise: Authorise,
) -> dict[str, Any]:
    answer = await write(gateway.client, target, spec, known, options, authorise=authorise)
    before = None if known is None else spec_of(known["spec"])
    planned = difference(before, spec_of(answer["spec"]) or spec)
    return Plan(name=target.name, namespace=target.namespace, created=known is None, **planned.model_dump()).model_dump(
        mode="json"
    )


async def _spec(request: Request) -> MillDeploymentSpec:
    text = await request.body()
    try:
        return await run_in_threadpool(parse, text)
    except InvalidConfig as error:
        problems = [each.to_json() for each in error.diagnostics]
        raise InvalidMillFile(f"invalid config: {error}", diagnostics=problems) from error
