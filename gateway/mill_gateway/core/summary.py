"""Summary of a namespace and of the cluster's nodes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pydantic import BaseModel, Field

from mill_gateway.core.capacity import free
from mill_gateway.core.deployment_states import DeploymentSummary, view_state
from mill_gateway.core.deployments import DeploymentWarning, RegressedRollout, view_regressions, view_warnings
from mill_gateway.core.rollout_tasks import RolloutTaskView, view_rollout_tasks
from mill_gateway.core.runs import count_runs
from mill_gateway.core.schedules import ScheduledTask, view_schedules
from mill_gateway.objects.amounts import total
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.jobs import Job
from mill_gateway.objects.nodes import Node, NodePod

DEPLOYMENTS_SHOWN: Final = 1000
"""Number of MillDeployments that are listed together."""


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
    serving_count: int = Field(
        description="Services of the namespace with ready replicas, of any revision.", examples=[2]
    )
    namespace: str | None = Field(None, description="The namespace; left out if all were asked for.", examples=["shop"])
    deployments: list[DeploymentSummary] | None = Field(
        None,
        description="The first thousand MillDeployments, by namespace and name; left out if the caller may not list "
        "them.",
    )
    regressions: list[RegressedRollout] | None = Field(
        None,
        description="Current rollouts of which services have failed since they finished; left out if there are none.",
    )
    rollout_tasks: list[RolloutTaskView] | None = Field(
        None, description="Tasks that run in rollouts, those with `before` or `after`; left out if there are none."
    )
    schedules: list[ScheduledTask] | None = Field(
        None, description="Tasks on a schedule, the next one first; left out if there are none."
    )
    warnings: list[DeploymentWarning] | None = Field(
        None,
        description="Problems in the namespace that do not stop mill but need a change; left out if there are none.",
    )


def summarize(
    nodes: Sequence[Node],
    pods_on: Callable[[str], Iterable[NodePod]],
    deployments: Sequence[Deployment],
    jobs: Iterable[Job],
) -> Counts:
    """Count nodes, services and runs, and add up the capacity of nodes. `pods_on` returns the pods of a node."""
    capacity = total(each.amounts for each in nodes)
    available = total(free(each, pods_on(each.key.name)) for each in nodes)
    return Counts(
        node_count=len(nodes),
        service_count=sum(len(each.services) for each in deployments),
        task_count=count_runs(jobs, deployments),
        cpu_total=capacity.cpu,
        cpu_available=available.cpu,
        memory_total_bytes=capacity.memory,
        memory_available_bytes=available.memory,
        serving_count=sum(service.replicas.serving > 0 for each in deployments for service in each.status.services),
        deployments=[view_state(each) for each in deployments[:DEPLOYMENTS_SHOWN]],
        regressions=view_regressions(deployments) or None,
        rollout_tasks=view_rollout_tasks(deployments) or None,
        schedules=view_schedules(deployments) or None,
        warnings=view_warnings(deployments) or None,
    )
