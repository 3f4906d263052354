"""`GET /v1/status`: a summary of the cluster."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mill_gateway.access import CurrentCaller
from mill_gateway.core.capacity import free
from mill_gateway.core.deployments import DeploymentWarning, view_warnings
from mill_gateway.core.runs import count_runs
from mill_gateway.gateway import ReadyGateway
from mill_gateway.objects.amounts import total
from mill_gateway.routes.parameters import InNamespace
from mill_kube.resources import MILL_DEPLOYMENTS, NODES

router = APIRouter(tags=["status"])


class Counts(BaseModel):
    """Numbers of nodes, services and runs, and the capacity of all nodes."""

    node_count: int = Field(description="Nodes of the cluster.", examples=[3])
    service_count: int = Field(description="Services of the namespace.", examples=[2])
    task_count: int = Field(
        description="Runs of tasks in the namespace, including those that have ended.", examples=[4]
    )
    cpu_total: float = Field(description="Allocatable CPU cores of all nodes.", examples=[12.0])
    cpu_available: float = Field(description="CPU cores that no pod requests.", examples=[10.5])
    memory_total_bytes: int = Field(description="Allocatable memory of all nodes, in bytes.", examples=[25769803776])
    memory_available_bytes: int = Field(description="Memory that no pod requests, in bytes.", examples=[24000000000])
    warnings: list[DeploymentWarning] | None = Field(
        None,
        description="Problems in the namespace that do not stop mill but need a change; left out if there are none.",
    )


@router.get("/v1/status", summary="Count everything", response_model_exclude_none=True)
async def status(gateway: ReadyGateway, caller: CurrentCaller, namespace: InNamespace) -> Counts:
    """Return counts of the namespace and of the cluster's nodes.

    What the caller may not list counts as 0, so that a caller with access to one namespace gets its numbers.
    """
    stores, access = gateway.stores, gateway.access
    may_see = await access.allows(caller, "list", MILL_DEPLOYMENTS, namespace)
    nodes = stores.nodes if await access.allows(caller, "list", NODES) else None
    machines = nodes.all() if nodes else []
    everything = total(each.amounts for each in machines)
    available = total(free(each, nodes.pods_on(each.key.name)) for each in machines) if nodes else total(())
    deployments = stores.deployments.in_group(namespace) if may_see else []
    return Counts(
        node_count=len(machines),
        service_count=sum(len(each.services) for each in deployments),
        task_count=count_runs(stores.jobs.in_group(namespace), deployments) if may_see else 0,
        cpu_total=everything.cpu,
        cpu_available=available.cpu,
        memory_total_bytes=everything.memory,
        memory_available_bytes=available.memory,
        warnings=view_warnings(deployments) or None,
    )
