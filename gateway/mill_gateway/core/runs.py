"""Runs of tasks as the API shows them: Jobs and their pods, with the operator's verdict if there is one."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from mill_api.status import MillDeploymentStatus
from mill_api.task_status import RunState, TaskRun
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
    node: str = Field(description="Its node; empty until it has one.")
    status: RunStatus = Field(description="`stopped`: it succeeded, or a user stopped it. `state` says which.")
    address: str | None = Field(description="Always null: a task has no port.")
    cpu: float = Field(description="CPU cores that it requests.")
    memory: int = Field(description="Memory that it requests, in bytes.")
    namespace: str
    deployment: str = Field(description="Name of its MillDeployment.")
    state: RunState = Field(
        description=f"{', '.join(RunState)}. Failed: its program failed, or never started, as `reason` says."
    )
    reason: str | None = Field(description="Why it failed, or what it waits for: a stable code.")
    message: str | None = Field(description="Explanation of `reason` for people.")
    detail: str | None = Field(description="What matters beside `message`, such as the image.")
    suggestion: str | None = Field(description="What to do about it.")
    exit_code: int | None = Field(description="Exit code of its program.")
    created_at: str
    started_at: str | None
    finished_at: str | None


def run_verdicts(status: MillDeploymentStatus) -> dict[str, TaskRun]:
    """Return the operator's verdicts of a deployment's runs, by their ids."""
    return {run.name: run for task in status.tasks for run in task.runs}


def view_runs(jobs: Iterable[Job], deployments: Iterable[Deployment], pods: Mapping[str, Pod]) -> list[RunView]:
    """Return all runs of a namespace, by id: those with a Job, and those that only the status still has.

    `pods` has the newest pod of each run, by the run's id.
    """
    verdicts = {each.key.name: run_verdicts(each.status) for each in deployments}
    nothing: Mapping[str, TaskRun] = {}
    found = {
        each.key.name: view_run(
            each, pods.get(each.key.name), verdicts.get(each.deployment, nothing).get(each.key.name)
        )
        for each in jobs
    }
    for deployment in deployments:
        for task in deployment.status.tasks:
            for run in task.runs:
                if run.name not in found:
                    found[run.name] = view_run_without_job(deployment.key, task.name, run, pods.get(run.name))
    return [found[name] for name in sorted(found)]


def count_runs(jobs: Iterable[Job], deployments: Iterable[Deployment]) -> int:
    """Return the number of runs that `view_runs` returns."""
    listed = {each.key.name for each in jobs}
    for deployment in deployments:
        listed.update(run_verdicts(deployment.status))
    return len(listed)


def view_run(job: Job, pod: Pod | None, verdict: TaskRun | None) -> RunView:
    """Return a run as the API shows it."""
    return RunView(
        id=job.key.name,
        name=job.task,
        node=(pod.node if pod else None) or (verdict.node if verdict else None) or "",
        status=run_status(job, pod, verdict),
        address=None,
        cpu=job.amounts.cpu,
        memory=job.amounts.memory,
        namespace=job.key.namespace,
        deployment=job.deployment,
        state=run_state(job, pod, verdict),
        reason=verdict.reason if verdict else None,
        message=verdict.message if verdict else None,
        detail=verdict.detail if verdict else None,
        suggestion=verdict.suggestion if verdict else None,
        exit_code=pod.exit_code if pod and pod.exit_code is not None else (verdict.exit_code if verdict else None),
        created_at=job.created_at,
        started_at=(verdict.started_at if verdict else None) or (pod.started_at if pod else None),
        finished_at=(verdict.finished_at if verdict else None) or job.finished_at,
    )


def view_run_without_job(deployment: Key, task: str, run: TaskRun, pod: Pod | None) -> RunView:
    """Return a run whose Job is gone, or is not in the cache yet: the operator's cache may be ahead."""
    status: RunStatus = "stopped"
    has_pod = pod is not None and not pod.terminating
    if run.state is RunState.FAILED:
        status = "failed"
    elif run.state is RunState.PENDING:
        status = "starting"
    elif run.state is RunState.RUNNING and has_pod:
        status = "running"
    elif not run.state.known and run.finished_at is None:  # a state of a newer release for a run in progress
        status = "running" if has_pod and run.started_at else "starting"
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
        state=_state_without_job(status, run),
        reason=run.reason,
        message=run.message,
        detail=run.detail,
        suggestion=run.suggestion,
        exit_code=run.exit_code,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def run_status(job: Job, pod: Pod | None, verdict: TaskRun | None) -> RunStatus:
    """Return the status of a run: the operator's verdict, and until there is one what its pod shows."""
    if (
        job.terminating
        or job.outcome == "Complete"
        or (verdict and verdict.state in (RunState.SUCCEEDED, RunState.STOPPED))
    ):
        return "stopped"
    if job.outcome == "Failed" or (verdict and verdict.state is RunState.FAILED):
        return "failed"
    if pod is None:
        return "starting"
    status = allocation_status(pod)
    return "running" if status == "healthy" else status


def run_state(job: Job, pod: Pod | None, verdict: TaskRun | None) -> RunState:
    """Return the state of a run: the operator's verdict, and until there is one what Job and pod show.

    Clients of the original know no more than `run_status`, where a success, a stop and a run that was deleted because
    it could not start are all `stopped`.
    """
    if verdict is not None and verdict.state in (RunState.SUCCEEDED, RunState.FAILED):
        return verdict.state
    if job.outcome == "Complete" or (pod is not None and pod.phase == "Succeeded"):
        return RunState.SUCCEEDED
    if job.outcome == "Failed" or (pod is not None and pod.phase == "Failed"):
        return RunState.FAILED
    if job.terminating or (verdict is not None and verdict.state is RunState.STOPPED):
        return _stopped(verdict)
    return RunState.RUNNING if pod is not None and pod.started_at is not None else RunState.PENDING


def _state_without_job(status: RunStatus, run: TaskRun) -> RunState:
    if run.state in (RunState.SUCCEEDED, RunState.FAILED):
        return run.state
    if status == "stopped":
        return _stopped(run)
    return RunState.RUNNING if status == "running" else RunState.PENDING


def _stopped(run: TaskRun | None) -> RunState:
    """Return the state of a run whose Job was deleted: failed if it had not started, and why is known."""
    could_not_start = run is not None and run.started_at is None and run.reason is not None
    return RunState.FAILED if could_not_start else RunState.STOPPED
