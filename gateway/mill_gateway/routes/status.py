"""`GET /v1/status`: a summary of the cluster."""

from fastapi import APIRouter

from mill_gateway.access import CurrentCaller
from mill_gateway.core.summary import Counts, summarize
from mill_gateway.gateway import ReadyGateway
from mill_gateway.routes.parameters import InNamespace
from mill_kube.resources import MILL_DEPLOYMENTS, NODES

router = APIRouter(tags=["status"])


@router.get("/v1/status", summary="Show a summary", response_model_exclude_none=True)
async def status(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace) -> Counts:
    """Return counts of the namespace and of the cluster's nodes.

    What the caller may not list counts as 0, so that a caller with access to one namespace gets its numbers.
    """
    stores, access = gateway.stores, gateway.access
    may_list = await access.allows(caller, "list", MILL_DEPLOYMENTS, namespace)
    nodes = stores.nodes if await access.allows(caller, "list", NODES) else None
    return summarize(
        nodes.all() if nodes else [],
        nodes.pods_on if nodes else lambda _: (),
        stores.deployments.in_group(namespace) if may_list else [],
        stores.jobs.in_group(namespace) if may_list else [],
    )
