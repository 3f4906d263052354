"""`GET /v1/status`: a summary of the cluster."""

from fastapi import APIRouter

from mill_gateway.access import CurrentCaller
from mill_gateway.core.summary import Counts, summarize
from mill_gateway.exceptions.access import AccessDenied
from mill_gateway.gateway import ReadyGateway
from mill_gateway.routes.scope import ListScope
from mill_kube.resources import MILL_DEPLOYMENTS, NODES

router = APIRouter(tags=["status"])


@router.get("/v1/status", summary="Show a summary", response_model_exclude_none=True)
async def status(gateway: ReadyGateway, caller: CurrentCaller, scope: ListScope) -> Counts:
    """Return counts of the namespace and of the cluster's nodes.

    What the caller may not list counts as 0, so that a caller with access to one namespace gets its numbers.
    """
    stores, access = gateway.stores, gateway.access
    try:
        namespaces = await scope.namespaces(gateway, caller, MILL_DEPLOYMENTS, stores.deployments)
    except AccessDenied:
        namespaces = None
    deployments = [each for namespace in namespaces or () for each in gateway.deployments.find(namespace, scope.name)]
    if namespaces is not None and not deployments:
        await scope.require_existing(gateway)
    nodes = stores.nodes if await access.allows(caller, "list", NODES) else None
    counts = summarize(
        nodes.all() if nodes else [],
        nodes.pods_on if nodes else lambda _: (),
        deployments,
        [job for namespace in namespaces or () for job in gateway.runs.jobs(namespace, scope.name)],
    )
    shown = {"namespace": scope.namespace} if namespaces is not None else {"deployments": None}
    return counts.model_copy(update=shown)
