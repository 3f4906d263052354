"""The tasks of a status, from Jobs, their pods and the previous status: bounded, and no part of a rollout."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from types import MappingProxyType

from mill_api.task_status import TaskRun, TaskStatus
from mill_operator.core import limits, timestamps
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.objects.service import ServiceRequest
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.schedules import ObservedSchedule
from mill_operator.core.tasks.runs import RunObservation, observe_run, observe_run_without_job, observe_unjudged_run
from mill_operator.core.tasks.schedules import ScheduleStatus, observe_schedule
from mill_operator.core.verdicts.findings import find
from mill_operator.core.verdicts.lookup_requests import LookupRequest
from mill_operator.core.verdicts.rule_input import Problem, WriteSubject

TOLD_PER_TASK = 5
"""Number of active runs that are reported, and of ended ones: the newest of each."""
SCHEDULE_CHARACTERS = 134
"""Size of a schedule in the report: three times with their names."""
TOLD_CHARACTERS = 28_000
"""Size of the report of all tasks together, as JSON: the newest run of every task before the second of any. A status of
200 services leaves no more, in an object that is written as a whole."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The tasks at one moment."""

    tasks: list[TaskStatus]
    active: int
    """Number of runs that have not ended."""
    wake_at: datetime | None
    """When to observe again though nothing happens."""
    lookup_requests: frozenset[LookupRequest] = frozenset()
    """Lookups that would help to judge them."""
    internal_errors: tuple[tuple[str, InternalError], ...] = ()
    """The runs that could not be judged, and why."""


def observe(
    jobs: Sequence[ObservedJob],
    pods: Iterable[ObservedPod],
    previous: Sequence[TaskStatus],
    *,
    problems: Mapping[str, Problem],
    schedules: Mapping[str, ObservedSchedule] = MappingProxyType({}),
    results: LookupResults = NO_RESULTS,
    now: datetime,
) -> Observed:
    """Observe the tasks of a MillDeployment.

    `problems` says why a task's CronJob could not be written: such a task cannot be started. `schedules` are those
    of the CronJobs, and `results` those of lookups.
    """
    jobs_of: dict[str, list[ObservedJob]] = {}
    for job in jobs:
        jobs_of.setdefault(job.task, []).append(job)
    pod_of = {pod.job: pod for pod in sorted(pods, key=lambda pod: pod.created)}
    before_of = {task.name: {run.name: run for run in task.runs} for task in previous}
    runs_of: dict[str, list[TaskRun]] = {}
    wakes: list[datetime] = []
    asked: set[LookupRequest] = set()
    internal_errors: list[tuple[str, InternalError]] = []
    for task in {*jobs_of, *before_of}:
        here, before = jobs_of.get(task, []), before_of.get(task, {})
        looks = [
            _observe_run(job, _pod_of(job, pod_of), before.get(job.key.name), results, now, internal_errors)
            for job in _newest_jobs(here)
        ]
        deleted = before.keys() - {job.key.name for job in here}
        looks += filter(None, (observe_run_without_job(before[name], pod_of.get(name), now) for name in deleted))
        runs_of[task] = [each.run for each in looks]
        wakes += [each.wake_at for each in looks if each.wake_at is not None]
        asked |= {question for each in looks for question in each.lookup_requests}
    # The program has ended, though its Job takes a moment to report it.
    ended = {run.name for runs in runs_of.values() for run in runs if run.finished_at is not None}
    known = {task.name: task for task in previous}
    scheduled = {name: observe_schedule(each, known.get(name), now) for name, each in schedules.items()}
    wakes += filter(None, (each.wake_at(schedules[name]) for name, each in scheduled.items()))
    reported = _bounded(runs_of, TOLD_CHARACTERS - SCHEDULE_CHARACTERS * len(scheduled))
    return Observed(
        tasks=[
            _with_schedule(_status(task, reported.get(task, ()), problems.get(task), now), scheduled.get(task))
            for task in sorted({*reported, *problems, *scheduled})
        ],
        active=sum(job.finished_at is None and job.key.name not in ended for job in jobs),
        wake_at=min(wakes, default=None),
        lookup_requests=frozenset(asked),
        internal_errors=tuple(internal_errors),
    )


def _observe_run(
    job: ObservedJob,
    pod: ObservedPod | None,
    before: TaskRun | None,
    results: LookupResults,
    now: datetime,
    internal_errors: list[tuple[str, InternalError]],
) -> RunObservation:
    """Observe one run. An unexpected error is that run's alone; it is noted in `internal_errors`."""
    try:
        return observe_run(job, pod, before, results, now)
    except Exception as error:  # noqa: BLE001 - any error is of this run alone
        internal_error = internal_error_of(error)
        internal_errors.append((job.key.name, internal_error))
        return observe_unjudged_run(job, before, internal_error, now)


def outliving(jobs: Iterable[ObservedJob], deleted: Iterable[ObservedChild]) -> list[ObservedJob]:
    """Return runs of tasks whose CronJob is about to be deleted: with no other owner they would be deleted too.

    What runs was asked for when the task was still there, and how the last ones ended is read later. There may be
    thousands of others that have ended, of which nothing is reported anyway.
    """
    cron_jobs = {each.uid for each in deleted if each.kind == "CronJob"}
    kept: list[ObservedJob] = []
    ended: dict[str, list[ObservedJob]] = {}
    for job in jobs:
        if job.owners and job.owners <= cron_jobs:
            (kept if job.finished_at is None else ended.setdefault(job.task, [])).append(job)
    return [*kept, *(job for theirs in ended.values() for job in _newest_ended(theirs))]


def _newest_jobs(jobs: Sequence[ObservedJob]) -> list[ObservedJob]:
    """Return the Jobs that are reported. The others are not even judged: there may be very many."""
    active = (job for job in jobs if job.finished_at is None)
    ended = (job for job in jobs if job.finished_at is not None)
    return [*nlargest(TOLD_PER_TASK, active, key=lambda job: (job.created, job.key.name)), *_newest_ended(ended)]


def _newest_ended(ended: Iterable[ObservedJob]) -> list[ObservedJob]:
    return nlargest(TOLD_PER_TASK, ended, key=lambda job: (job.finished_at, job.key.name))


def _pod_of(job: ObservedJob, pod_of: Mapping[str, ObservedPod]) -> ObservedPod | None:
    """Return a Job's pod: not one that is left of an older Job of that name."""
    pod = pod_of.get(job.key.name)
    return pod if pod is not None and pod.created >= job.created else None


def _bounded(runs_of: Mapping[str, Iterable[TaskRun]], room: int) -> dict[str, list[TaskRun]]:
    """Return the runs that are reported in that many characters, without tasks that have none."""
    ranked: list[tuple[int, tuple[datetime, str], str, TaskRun]] = []
    for task, runs in runs_of.items():
        for ended in (False, True):
            newest = nlargest(TOLD_PER_TASK, (run for run in runs if (run.finished_at is not None) is ended), key=_age)
            ranked += [(-rank, _age(run), task, run) for rank, run in enumerate(newest)]
    reported: dict[str, list[TaskRun]] = {}
    for _, _, task, run in sorted(ranked, key=lambda each: each[:3], reverse=True):
        room -= len(run.model_dump_json(by_alias=True, exclude_none=True)) + (0 if task in reported else len(task) + 22)
        if room < 0:
            break
        reported.setdefault(task, []).append(run)
    return reported


def _age(run: TaskRun) -> tuple[datetime, str]:
    return timestamps.parse(run.finished_at or run.created_at), run.name


def _status(task: str, runs: Iterable[TaskRun], problem: Problem | None, now: datetime) -> TaskStatus:
    newest_first = sorted(runs, key=lambda run: (run.created_at, run.name), reverse=True)
    if problem is None:
        return TaskStatus(name=task, runs=newest_first)
    (finding,) = find(task, [WriteSubject(request=ServiceRequest(image="", memory=""), problem=problem)], None, now)
    return TaskStatus(
        name=task, reason=finding.rule.code, message=finding.message[: limits.RUN_MESSAGE_LENGTH], runs=newest_first
    )


def _with_schedule(status: TaskStatus, schedule: ScheduleStatus | None) -> TaskStatus:
    if schedule is None:
        return status
    moments = {
        "next_run": schedule.next_run,
        "last_run": schedule.last_run,
        "missed_run": schedule.missed_run,
    }
    return status.model_copy(
        update={name: timestamps.render(moment) for name, moment in moments.items() if moment is not None}
    )
