"""Tasks that run in rollouts: their next states, and the Jobs that are written for the states that are kept.

The decisions are those of `core.rollout_tasks`; this module renders and writes.
"""

from datetime import datetime

from mill_api.status import MillDeploymentStatus, State
from mill_kube.client import KubeClient
from mill_operator.caches import Caches
from mill_operator.children.rollout_runs import RolloutRuns
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.rollout_tasks.advance import Known, advance, failed_to_start, to_create, to_delete
from mill_operator.core.rollout_tasks.jobs import job_of
from mill_operator.memory import Memory
from mill_operator.renderer import Renderer


class RolloutTasks:
    """Carries out the tasks of rollouts."""

    def __init__(self, client: KubeClient, caches: Caches) -> None:
        self._runs = RolloutRuns(client, caches)

    def advance(self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot, now: datetime) -> None:
        """Set the next states in the status."""
        status, desired = memory.status, memory.desired
        if not isinstance(desired, DesiredState) or not (desired.rollout_tasks or status.rollout_tasks):
            return
        states = advance(desired.rollout_tasks, status.rollout_tasks, _known(resource, status, snapshot), now)
        if states != status.rollout_tasks:
            memory.status = status.model_copy(update={"rollout_tasks": states})

    async def write(
        self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot, renderer: Renderer, now: datetime
    ) -> None:
        """Create and delete the Jobs for the states that the API server has. Raise `KubeError`."""
        written, desired = memory.written, memory.desired
        if not written.rollout_tasks or not isinstance(desired, DesiredState):
            return
        jobs = {job.key.name: job for job in snapshot.jobs}
        runs = {run.name: run for task in written.tasks for run in task.runs}
        await self._runs.delete(to_delete(written.rollout_tasks, jobs, runs))
        cron_jobs = {child.key.name: child for child in desired.children if child.kind == "CronJob"}
        bodies, refused = {}, {}
        for state in to_create(written.rollout_tasks, jobs):
            child = cron_jobs.get(state.name)
            cron_job = None if child is None else await renderer.body(child)
            if cron_job is None or state.run is None:
                refused[state.name] = "the file has no such task any more" if child is None else "it cannot be rendered"
            else:
                bodies[state.name] = job_of(resource.owner, state.run, cron_job)
        refused |= await self._runs.create(resource.owner, bodies)
        if refused:
            states = failed_to_start(memory.status.rollout_tasks, refused, now)
            memory.status = memory.status.model_copy(update={"rollout_tasks": states})


def _known(resource: ObservedMillDeployment, status: MillDeploymentStatus, snapshot: Snapshot) -> Known:
    rollout = status.rollout
    return Known(
        rollout_id=resource.rollout_id,
        in_progress=rollout is not None and rollout.id == resource.rollout_id and rollout.finished_at is None,
        jobs={job.key.name: job for job in snapshot.jobs},
        runs={run.name: run for task in status.tasks for run in task.runs},
        serving={each.name for each in status.services if each.replicas.serving},
        settled={each.name for each in status.services if each.settled_at is not None},
        failed={each.name: each.message or "" for each in status.services if each.state is State.FAILED},
    )
