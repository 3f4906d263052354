"""Runs of tasks as the API shows them: Jobs and their pods, with the operator's verdict where there is one."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from mill_api.status import MillDeploymentStatus, RunState, TaskRun
from mill_gateway.core.services import allocation_status
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.jobs import Job
from mill_gateway.objects.pods import Pod
from mill_objects.key import Key

RunStatus = Literal["pulling", "starting", "running", "stopped", "failed"]


class RunView(BaseModel):
    """A run of a task."""

    id: str = Field(description="Name of its Job.", examples=["migrate-1a2b3c40"])
    name: str = Field(description="Name of the task.", examples=["migrate"])
    node: str = Field(description="The node that it was given; empty as long as it has none.")
    status: RunStatus = Field(description="`stopped`: it ended well, or somebody ended it.")
    address: str | None = Field(description="Always null: a task has no port.")
    cpu: float = Field(description="Cores that are reserved for it.")
    memory: int = Field(description="Bytes that are reserved for it.")
    namespace: str
    deployment: str = Field(description="Name of its MillDeployment.")
    reason: str | None = Field(description="Why it failed, or what it waits for: a stable code.")
    message: str | None = Field(description="The same in plain words.")
    exit_code: int | None = Field(description="What its program returned.")
    created_at: str
    started_at: str | None
    finished_at: str | None


def told_runs(status: MillDeploymentStatus) -> dict[str, TaskRun]:
    """Return what the operator tells of a deployment's runs, by their ids."""
    return {run.name: run for task in status.tasks for run in task.runs}


def runs(jobs: Iterable[Job], deployments: Iterable[Deployment], pods: Mapping[str, Pod]) -> list[RunView]:
    """Return all runs of a namespace, by id; also those whose Job was deleted and of which the operator still tells.

    `pods` are the newest of each run, by its id.
    """
    told = {each.key.name: told_runs(each.status) for each in deployments}
    nothing: Mapping[str, TaskRun] = {}
    found = {
        each.key.name: view(each, pods.get(each.key.name), told.get(each.deployment, nothing).get(each.key.name))
        for each in jobs
    }
    for deployment in deployments:
        for task in deployment.status.tasks:
            for run in task.runs:
                if run.name not in found:
                    found[run.name] = without_job(deployment.key, task.name, run, pods.get(run.name))
    return [found[name] for name in sorted(found)]


def count(jobs: Iterable[Job], deployments: Iterable[Deployment]) -> int:
    """Return how many runs `runs` shows."""
    listed = {each.key.name for each in jobs}
    for deployment in deployments:
        listed.update(told_runs(deployment.status))
    return len(listed)


def view(job: Job, pod: Pod | None, told: TaskRun | None) -> RunView:
    """Return what the API shows of a run."""
    return RunView(
        id=job.key.name,
        name=job.task,
        node=(pod.node if pod else None) or (told.node if told else None) or "",
        status=run_status(job, pod, told),
        address=None,
        cpu=job.amounts.cpu,
        memory=job.amounts.memory,
        namespace=job.key.namespace,
        deployment=job.deployment,
        reason=told.reason if told else None,
        message=told.message if told else None,
        exit_code=pod.exit_code if pod and pod.exit_code is not None else (told.exit_code if told else None),
        created_at=job.created_at,
        started_at=(told.started_at if told else None) or (pod.started_at if pod else None),
        finished_at=(told.finished_at if told else None) or job.finished_at,
    )


def without_job(deployment: Key, task: str, run: TaskRun, pod: Pod | None) -> RunView:
    """Return what the API shows of a run whose Job is gone, or not seen yet: the operator may have been faster."""
    status: RunStatus = "stopped"
    runs = pod is not None and not pod.leaving
    if run.state is RunState.FAILED:
        status = "failed"
    elif run.state is RunState.PENDING:
        status = "starting"
    elif run.state is RunState.RUNNING and runs:
        status = "running"
    elif not run.state.known and run.finished_at is None:  # a newer release's word for one that goes on
        status = "running" if runs and run.started_at else "starting"
    return RunView(
        id=run.name,
        name=task,
        node=run.node or "",
        status=status,
        address=None,
        cpu=0.0,
        memory=0,
        namespace=deployment.namespace,
        deployment=deployment.name,
        reason=run.reason,
        message=run.message,
        exit_code=run.exit_code,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def run_status(job: Job, pod: Pod | None, told: TaskRun | None) -> RunStatus:
    """Return where a run stands: what the operator says, and what its pod shows until the operator says something."""
    if job.leaving or job.outcome == "Complete" or (told and told.state in (RunState.SUCCEEDED, RunState.STOPPED)):
        return "stopped"
    if job.outcome == "Failed" or (told and told.state is RunState.FAILED):
        return "failed"
    if pod is None:
        return "starting"
    status = allocation_status(pod)
    return "running" if status == "healthy" else status
