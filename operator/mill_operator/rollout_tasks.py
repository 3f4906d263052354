"""Tasks that run in rollouts: their next states, and the Jobs that are written for the states that are kept.

The decisions are those of `core.rollout_tasks`; this module renders and writes.
"""

from datetime import datetime

from mill_api.service_status import State
from mill_api.status import MillDeploymentStatus
from mill_kube.client import KubeClient
from mill_objects.json import Json
from mill_operator.caches import Caches
from mill_operator.children.rollout_runs import RolloutRuns
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.rollout_tasks.advance import Known, advance, failed_to_start, observe, to_create, to_delete
from mill_operator.core.rollout_tasks.jobs import job_of
from mill_operator.core.rollout_tasks.kept import is_to_be_looked_up, with_kept_versions
from mill_operator.memory import Memory
from mill_operator.renderer import Renderer
from mill_operator.revisions import RevisionKeeper


class RolloutTasks:
    """Carries out the tasks of rollouts."""

    def __init__(self, client: KubeClient, caches: Caches, revisions: RevisionKeeper) -> None:
        self._runs = RolloutRuns(client, caches)
        self._revisions = revisions

    async def advance(
        self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot, now: datetime
    ) -> None:
        """Set the next states in the status. No run starts while the resource is paused, or its spec is refused."""
        status = memory.status
        desired = memory.desired.rollout_tasks if isinstance(memory.desired, DesiredState) else None
        if not status.rollout_tasks and not desired:
            return  # most resources have none, and a reconciliation of theirs must not look at all runs
        known = _known(resource, status, snapshot)
        if resource.paused or desired is None:
            states = observe(status.rollout_tasks, known, now)
        else:
            states = advance(desired, status.rollout_tasks, known, now)
            if is_to_be_looked_up(status.rollout_tasks, states):
                revisions = await self._revisions.to_look_up(resource, memory)
                before = with_kept_versions(status.rollout_tasks, desired, resource.spec, revisions)
                states = advance(desired, before, known, now)
        if states != status.rollout_tasks:
            memory.status = status.model_copy(update={"rollout_tasks": states})
        await self._revisions.note_tasks(resource, memory)

    async def write(
        self, resource: ObservedMillDeployment, memory: Memory, snapshot: Snapshot, renderer: Renderer, now: datetime
    ) -> bool:
        """Create and delete the Jobs for the states that the API server has. Raise `KubeError`.

        Return whether there is something to note of a run that should have started.
        """
        written, desired = memory.written, memory.desired
        if not written.rollout_tasks or not isinstance(desired, DesiredState):
            return False
        jobs = {job.key.name: job for job in snapshot.jobs}
        runs = {run.name: run for task in written.tasks for run in task.runs}
        await self._runs.delete(to_delete(written.rollout_tasks, jobs, runs))
        starting = to_create(written.rollout_tasks, jobs)
        if not starting:
            return False
        cron_jobs = {child.key.name: child for child in desired.children if child.kind == "CronJob"}
        versions = {task.name: task.version for task in desired.rollout_tasks}
        bodies: dict[str, Json] = {}
        refused: dict[str, str] = {}
        for state in starting:
            child, run = cron_jobs.get(state.name), state.run or ""
            why = memory.writes.taken_by(("task", state.name), desired.children)
            if child is None or versions.get(state.name) != state.version:
                why = "a newer file came before it"  # what the file describes now is another program
            if why is not None:
                # The operator may have ended right after it created the Job.
                if not await self._runs.adopt(resource.owner, run):
                    refused[state.name] = why
            elif child is None or (cron_job := await renderer.body(child)) is None:
                refused[state.name] = "it cannot be rendered"
            else:
                bodies[state.name] = job_of(resource.owner, run, cron_job)
        refused |= await self._runs.create(resource.owner, bodies)
        if refused:
            states = failed_to_start(memory.status.rollout_tasks, refused, now)
            memory.status = memory.status.model_copy(update={"rollout_tasks": states})
        return True


def _known(resource: ObservedMillDeployment, status: MillDeploymentStatus, snapshot: Snapshot) -> Known:
    rollout = status.rollout
    return Known(
        rollout_id=resource.rollout_id,
        in_progress=rollout is not None and rollout.id == resource.rollout_id and rollout.finished_at is None,
        jobs={job.key.name: job for job in snapshot.jobs},
        runs={run.name: run for task in status.tasks for run in task.runs},
        serving={  # of some, no pod is wanted
            each.name for each in status.services if each.replicas.serving or each.state is State.HEALTHY
        },
        settled={each.name for each in status.services if each.settled_at is not None},
        failed={each.name: each.message or "" for each in status.services if each.state is State.FAILED},
        owner_uid=resource.uid,
    )
