"""Previous states of the tasks of rollouts + their runs → the next states, and which Jobs are created or deleted.

A state is written before its Job is created, and the Job's name follows from the version and the rollout: whenever the
operator ends, the next one neither creates it twice nor forgets it. A run in progress is never ended for a newer
version, which waits. A version that has succeeded never runs again, whatever becomes of its Job.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from mill_api.rollout_tasks import VERSIONS_KEPT, RolloutTask, RolloutTaskState
from mill_api.task_status import RunState, TaskRun
from mill_objects.printable import one_line
from mill_operator.core import limits, timestamps
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask

_RUNNING, _WAITING, _SUCCEEDED, _FAILED = (
    RolloutTaskState.RUNNING,
    RolloutTaskState.WAITING,
    RolloutTaskState.SUCCEEDED,
    RolloutTaskState.FAILED,
)
_TASKS_KEPT: Final = 40
"""Tasks in the status: also some that the file has no more, since they may come back."""
_STOPPED: Final = "its run was stopped before it ended"
_RUN_ID_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the rollout and of the runs of its tasks."""

    rollout_id: str
    in_progress: bool
    """Whether the rollout is in progress: no run starts without one."""
    jobs: Mapping[str, ObservedJob] = field(default_factory=dict)
    """By their names."""
    runs: Mapping[str, TaskRun] = field(default_factory=dict)
    """What is reported of runs, by their names."""
    serving: Collection[str] = ()
    """Services with a ready pod of any version."""
    settled: Collection[str] = ()
    """Services that have settled in the version that the rollout asks for."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Failed services, each with the cause."""
    owner_uid: str = ""
    """Uid of the MillDeployment: the Jobs of another one of its name may still exist."""


def advance(
    desired: Sequence[DesiredRolloutTask], before: Sequence[RolloutTask], known: Known, now: datetime
) -> list[RolloutTask]:
    """Return the next states: those of the file's tasks in its order, and then of others that may come back."""
    previous = {each.name: each for each in before}
    wanted = {each.name for each in desired}
    others = [_observed(each, known, now) for name, each in previous.items() if name not in wanted]
    left = [f"run {each.run}" for each in others if each.state is _RUNNING or _may_run(each, known)]
    states = [_next(each, previous.get(each.name), known, now, left if each.before else ()) for each in desired]
    kept = [each for each in others if each.succeeded or each.state is _RUNNING or _may_run(each, known)]
    return [*states, *kept][:_TASKS_KEPT]


def observe(before: Sequence[RolloutTask], known: Known, now: datetime) -> list[RolloutTask]:
    """Return the states with what has become of their runs. No run starts: the resource is paused, or its spec refused.

    How a run ends has to be noted also then, since its Job goes after a day. One that cannot start has not ended: its
    Job is not deleted now, and may start, so that its success would count.
    """
    observed = [(each, _observed(each, known, now)) for each in before]
    return [
        each.model_copy(update={"uid": after.uid}) if each.state is _RUNNING and _may_run(after, known) else after
        for each, after in observed
    ]


def to_create(written: Sequence[RolloutTask], jobs: Mapping[str, ObservedJob]) -> list[RolloutTask]:
    """Return the states whose Job is to be created. `written` is the status that the API server has."""
    return [each for each in written if each.state is _RUNNING and each.uid is None and each.run not in jobs]


def to_delete(
    written: Sequence[RolloutTask], jobs: Mapping[str, ObservedJob], runs: Mapping[str, TaskRun]
) -> list[ObservedJob]:
    """Return Jobs of runs that have failed before their program started, as for want of an image: it must not start
    later, when no rollout waits for it any more."""
    failed = [each for each in written if each.state is _FAILED and each.run in jobs and each.run in runs]
    pairs = [(each.uid, jobs[each.run or ""], runs[each.run or ""]) for each in failed]
    return [job for uid, job, run in pairs if job.uid == uid and job.is_active and run.started_at is None]


def failed_to_start(states: Sequence[RolloutTask], refused: Mapping[str, str], now: datetime) -> list[RolloutTask]:
    """Return the states in which the Jobs of some tasks could not be created, by the names of these tasks."""
    return [
        _failed(each, f"its run was not created: {refused[each.name]}", now)
        if each.name in refused and each.state is _RUNNING
        else each
        for each in states
    ]


def run_name(task: str, version: str, rollout_id: str, owner_uid: str) -> str:
    """Return the name of the run of a version in a rollout of one MillDeployment."""
    digest = hashlib.blake2b(
        f"{version} {rollout_id} {owner_uid}".encode(), digest_size=_RUN_ID_DIGITS // 2
    ).hexdigest()
    return f"{task}-{digest}"


def _next(
    task: DesiredRolloutTask, before: RolloutTask | None, known: Known, now: datetime, left: Sequence[str]
) -> RolloutTask:
    """Return the next state of a task. `left` are the runs in progress of tasks that have left the file."""
    observed = None if before is None else _observed(before, known, now)
    if observed is not None and (observed.state is _RUNNING or _may_run(observed, known)):
        return observed
    succeeded = [] if observed is None else observed.succeeded
    if task.version in succeeded:
        if observed is not None and (observed.version, observed.state) == (task.version, _SUCCEEDED):
            return observed
        return RolloutTask(
            name=task.name, version=task.version, state=_SUCCEEDED, rollout=known.rollout_id, succeeded=succeeded
        )
    is_same = observed is not None and (observed.version, observed.rollout) == (task.version, known.rollout_id)
    if observed is not None and is_same and observed.state is _WAITING and not known.in_progress:
        return _failed(observed, _cause(task, known) or "not run: the rollout has failed", now)
    if observed is not None and ((is_same and _stands(observed, task, known)) or not known.in_progress):
        return observed
    state = RolloutTask(
        name=task.name, version=task.version, state=_WAITING, rollout=known.rollout_id, succeeded=succeeded
    )
    if not known.in_progress:
        return state
    if (cause := _cause(task, known)) is not None:
        return _failed(state, cause, now)
    if waits_for := [*_waits_for(task, known), *left]:
        return state.model_copy(update={"message": _cut(f"waiting for {', '.join(waits_for)}")})
    run = run_name(task.name, task.version, known.rollout_id, known.owner_uid)
    return state.model_copy(update={"state": _RUNNING, "run": run, "started_at": timestamps.render(now)})


def _stands(state: RolloutTask, task: DesiredRolloutTask, known: Known) -> bool:
    """Whether a state is a failure that stays for its rollout: not for want of a service that is well again."""
    return state.state is _FAILED and (state.run is not None or _cause(task, known) is not None)


def _may_run(state: RolloutTask, known: Known) -> bool:
    """Whether the run of a state has failed, and neither its Job nor its program has ended: the program may yet run.

    No other run begins beside it. Its Job is deleted if the program has not started. If its time is up, the program has
    time to end, and the Job reports its end after that.
    """
    job, run = known.jobs.get(state.run or ""), known.runs.get(state.run or "")
    if state.state is not _FAILED or job is None or job.uid != state.uid or job.terminating:
        return False
    return job.finished_at is None and (run is None or run.finished_at is None)


def _waits_for(task: DesiredRolloutTask, known: Known) -> list[str]:
    idle = [name for name in task.needs if name not in known.serving]
    return idle + [name for name in task.after if name not in known.settled]


def _cause(task: DesiredRolloutTask, known: Known) -> str | None:
    """Return why a run cannot start: a service that it needs, or comes after, has failed."""
    awaited = (*(name for name in task.needs if name not in known.serving), *task.after)
    failed = next((name for name in awaited if name in known.failed), None)
    return None if failed is None else f"not run: {failed} has failed: {known.failed[failed]}"


def _observed(before: RolloutTask, known: Known, now: datetime) -> RolloutTask:
    """Return a state with what has become of its run."""
    if before.state is not _RUNNING or before.run is None:
        return before
    job, run = known.jobs.get(before.run), known.runs.get(before.run)
    if job is not None and before.uid is None:
        before = before.model_copy(update={"uid": job.uid})
    is_gone = before.uid is not None and (job is None or job.uid != before.uid)
    if (run is not None and run.state is RunState.SUCCEEDED) or (job is not None and not is_gone and job.succeeded):
        succeeded = [before.version, *(each for each in before.succeeded if each != before.version)][:VERSIONS_KEPT]
        ended = timestamps.render(now)
        return before.model_copy(update={"state": _SUCCEEDED, "finished_at": ended, "succeeded": succeeded})
    if run is not None and run.state is RunState.FAILED:
        return _failed(before, run.message, now, reason=run.reason, detail=run.detail)
    if is_gone:
        if job is None and run is not None and not run.state.settled:
            return before  # its program is still being stopped: no other run may start beside it
        return _failed(before, _STOPPED, now)
    if job is not None and job.failure is not None and run is None:  # too many runs are reported
        return _failed(before, job.failure.message, now, reason=job.failure.reason)
    return before


def _failed(state: RolloutTask, message: str | None, now: datetime, **why: str | None) -> RolloutTask:
    """Return a state that has failed now. `why` are the other fields that say more of it."""
    text = None if message is None else _cut(message)
    return state.model_copy(update={"state": _FAILED, "finished_at": timestamps.render(now), "message": text, **why})


def _cut(text: str) -> str:
    """Return a text as it fits into the status, which others may have written in part."""
    return one_line(text, limits.RUN_MESSAGE_LENGTH)
