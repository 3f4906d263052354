"""`/v1/deployments/{name}/revisions`: what was deployed; and rollbacks to it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from mill_api.revisions import LARGEST
from mill_gateway.access import Caller, CurrentCaller
from mill_gateway.core.revisions import (
    RevisionDetail,
    RevisionDifference,
    RevisionView,
    compare,
    view_detail,
    view_revision,
    view_revisions,
)
from mill_gateway.exceptions.revisions import RevisionInvalid
from mill_gateway.gateway import ReadyGateway
from mill_gateway.openapi import ROLLOUT, failures
from mill_gateway.routes.deploy import Plan
from mill_gateway.routes.parameters import Base, Detail, Named, System
from mill_gateway.services.revisions import RollbackRequest
from mill_gateway.services.rollouts import RolloutQuery
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.rollout import rollout_response
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_language import render

router = APIRouter(tags=["revisions"])

Number = Annotated[int, Path(ge=1, le=LARGEST, description="Number of the revision.", examples=[3])]


class RollbackPlan(Plan):
    """The answer to the plan of a rollback."""

    target: RevisionView = Field(description="The revision to which it goes back.")
    notes: list[str] = Field(description="What does not go back, for people.")


@router.get("/v1/deployments/{name}/revisions", summary="List revisions")
async def list_revisions(gateway: ReadyGateway, caller: CurrentCaller, target: Named) -> list[RevisionView]:
    """Return what was deployed, newest first: the last ten revisions.

    A restart makes no revision. There are none until an operator of this release has begun a rollout.
    """
    await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    found = gateway.deployments.get(target)
    return view_revisions(found, await gateway.revisions.list(found))


@router.get("/v1/deployments/{name}/revisions/{revision}", summary="Show a revision")
async def get_revision(gateway: ReadyGateway, caller: CurrentCaller, target: Named, revision: Number) -> RevisionDetail:
    """Return a revision with its spec, also as a `.mill` file."""
    await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    found = gateway.deployments.get(target)
    kept, before = await gateway.revisions.get(found, revision)
    return view_detail(found, kept, before, render)


@router.get("/v1/deployments/{name}/revisions/{revision}/diff", summary="Compare a revision", responses=failures(409))
async def diff_revision(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    target: Named,
    revision: Number,
    to: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="Another revision; the default is what is deployed.")
    ] = None,
) -> RevisionDifference:
    """Return what has changed since a revision."""
    await gateway.access.require(caller, "get", MILL_DEPLOYMENTS, *target)
    found = gateway.deployments.get(target)
    compared = compare(found, *await gateway.revisions.compared(found, revision, to))
    if compared is None:
        raise RevisionInvalid(revision, "it, or what it is compared with, is of another release")
    return compared


@router.post(
    "/v1/deployments/{name}/rollback",
    summary="Roll back a deployment",
    response_class=Response,
    responses={
        200: {
            "description": "The rollout's events; of a plan, what would change.",
            "content": {**ROLLOUT[200]["content"], "application/json": {"schema": RollbackPlan.model_json_schema()}},
        },
        **failures(409),
    },
)
async def rollback(
    gateway: ReadyGateway,
    caller: CurrentCaller,
    target: Named,
    *,
    revision: Annotated[
        int | None,
        Query(
            ge=1,
            le=LARGEST,
            description="Revision to go back to; the default is the last one that succeeded and differs.",
            examples=[3],
        ),
    ] = None,
    service: Annotated[
        str | None, Query(max_length=63, description="The only service that goes back; the default is everything.")
    ] = None,
    plan: Annotated[
        bool, Query(description="Write nothing, and return what would change, and what does not go back.")
    ] = False,
    base: Base = None,
    system: System = False,
    detail: Detail = "default",
) -> Response:
    """Deploy the spec of an earlier revision again and stream the rollout, as of a deploy. It is a new revision.

    An image whose tag has moved since is named by the digest that ran then. Tasks that have run, secrets and volumes do
    not go back. It is refused for a resource that Argo CD or Flux manages: Git is what goes back.
    """

    async def require(who: Caller) -> None:
        await gateway.access.require(who, "patch", MILL_DEPLOYMENTS, *target)
        if plan or detail == "full":
            await gateway.access.require(who, "get", MILL_DEPLOYMENTS, *target)

    async def authorize(_verb: str) -> None:
        await require(caller)

    await require(caller)
    gateway.system_namespaces.require(target.namespace, meant=system)
    wanted = RollbackRequest(caller.name, revision, service, base)
    if plan:
        prepared, planned = await gateway.revisions.plan(target, wanted, authorize)
        found = gateway.deployments.get(target)
        shown = RollbackPlan(
            **Plan.of(target, planned).model_dump(),
            target=view_revision(found, prepared.target, None),
            notes=prepared.notes,
        )
        return JSONResponse(shown.model_dump(mode="json"))
    with gateway.streams.acquire("rollout", caller) as slots:
        written = await gateway.revisions.rollback(target, wanted, authorize)
        query = RolloutQuery.of_written(target, written, full=detail == "full")
        opened = gateway.metrics.streams.labels("rollout")
        return rollout_response(gateway.stores.deployments, query, opened, Guard(slots, require))
