"""`POST /v1/deploy`: a `.mill` file in, the rollout's events out."""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from mill_api.revisions import asked_annotation
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.accidents import EMPTY_FILE, is_empty
from mill_gateway.core.difference import Difference
from mill_gateway.core.planned_tasks import PlannedTask
from mill_gateway.exceptions.deployments import EmptyMillFile
from mill_gateway.gateway import Gateway, ReadyGateway
from mill_gateway.openapi import ROLLOUT, failures
from mill_gateway.routes.bodies import parse_file
from mill_gateway.routes.parameters import Base, Detail, Force, System, Target
from mill_gateway.services.deployments import Planned, WriteOptions
from mill_gateway.services.rollouts import RolloutQuery
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.rollout import rollout_response
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key

router = APIRouter(tags=["deploy"])


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What a deploy may do."""

    write: WriteOptions
    allow_empty: bool
    system: bool
    source: str | None
    """Name of the file."""


def _options(
    *,
    force: Force = False,
    dry_run: Annotated[
        bool,
        Query(
            alias="dryRun",
            description="Write nothing, and return what would change, as `/v1/deploy/plan` does.",
        ),
    ] = False,
    allow_empty: Annotated[
        bool,
        Query(alias="allowEmpty", description="Deploy a file without any service or task: everything is removed."),
    ] = False,
    replace_all: Annotated[
        bool, Query(alias="replaceAll", description="Deploy a file that has none of the current services.")
    ] = False,
    base: Base = None,
    source: Annotated[
        str | None, Query(alias="from", max_length=200, description="Name of the file, which the history shows.")
    ] = None,
    system: System = False,
) -> DeployOptions:
    write = WriteOptions(force=force, dry_run=dry_run, replace_all=replace_all, base=base)
    return DeployOptions(write, allow_empty, system, source)


Options = Annotated[DeployOptions, Depends(_options)]

FILE: Final = {
    "schema": {"type": "string"},
    "example": 'service "web" {\n  image = "registry.example/web:2"\n  port  = 8080\n}\n',
}
BODY: Final = "The file, in UTF-8. Services that it does not have are removed."


class Plan(Difference):
    """The answer to a dry run."""

    name: str
    namespace: str
    created: bool
    """Whether there is no such MillDeployment yet."""
    base: str = Field(description="Version of the MillDeployment from which the plan was made, for `?base=`.")
    volumes_kept: list[str] = Field(
        description="Persistent volumes that the new file has no more. They stay, with their data."
    )
    rollout_tasks: list[PlannedTask] = Field(
        description="The tasks with `before` or `after`, and whether the rollout would run them."
    )

    @classmethod
    def of(cls, target: Key, planned: Planned) -> "Plan":
        """Return the plan of a write."""
        return cls(
            name=target.name,
            namespace=target.namespace,
            created=planned.created,
            base=planned.base,
            volumes_kept=planned.volumes_kept,
            rollout_tasks=planned.rollout_tasks,
            **planned.difference.model_dump(),
        )


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
    options: Options,
    detail: Detail = "default",
) -> Response:
    """Write the MillDeployment and stream its rollout.

    The HTTP status is 200 once the resource is written: the result of the rollout is in the stream's last event,
    `done {"success": …}`. With `dryRun=true` the answer is JSON: what would change, service by service.
    """
    return await _deploy(request, gateway, caller, target, options, detail)


@router.post(
    "/v1/deploy/plan",
    summary="Plan a deploy",
    response_model=Plan,
    responses=failures(409),
    openapi_extra={"requestBody": {"description": BODY, "content": {"text/plain": FILE}}},
)
async def plan(
    request: Request, gateway: ReadyGateway, caller: CurrentCaller, target: Target, options: Options
) -> Response:
    """Return what a deploy of a file would change, and write nothing.

    The proxy of the Kubernetes API server refuses requests with `dryRun`: this is the way through it.
    """
    write = replace(options.write, dry_run=True)
    return await _deploy(request, gateway, caller, target, replace(options, write=write), "default")


async def _deploy(
    request: Request, gateway: Gateway, caller: Caller, target: Key, options: DeployOptions, detail: str
) -> Response:
    deployments, access = gateway.deployments, gateway.access
    verb = "patch" if deployments.exists(target) else "create"

    async def require(who: Caller) -> None:
        """Check access to the write, and to what the answer shows: evidence and differences need `get`."""
        await access.require(who, verb, MILL_DEPLOYMENTS, *target)
        if options.write.dry_run or detail == "full":
            await access.require(who, "get", MILL_DEPLOYMENTS, *target)

    async def authorize(next_verb: str) -> None:
        nonlocal verb
        verb = next_verb
        await require(caller)

    await authorize(verb)  # before the body, which is read for authorized callers alone
    gateway.system_namespaces.require(target.namespace, meant=options.system)
    spec = await parse_file(await request.body())
    write = replace(options.write, asked=asked_annotation(caller.name, spec.to_wire(), source=options.source))
    if is_empty(spec):
        if not options.allow_empty:
            raise EmptyMillFile(*EMPTY_FILE)
        write = replace(write, replace_all=True)
    if write.dry_run:
        planned = await deployments.plan(target, spec, write, authorize)
        return JSONResponse(Plan.of(target, planned).model_dump(mode="json"))
    with gateway.streams.acquire("rollout", caller) as slots:
        written = await deployments.deploy(target, spec, write, authorize)
        query = RolloutQuery.of_written(target, written, full=detail == "full")
        opened = gateway.metrics.streams.labels("rollout")
        return rollout_response(gateway.stores.deployments, query, opened, Guard(slots, require))
