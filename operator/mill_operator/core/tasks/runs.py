"""One run of a task, from its Job, its pod and its previous status.

A run is one attempt. What a service may survive (a crash, an eviction) is its end; there is no readiness; a program
that ends with 0 has succeeded. Everything else that can be wrong with a pod is judged by the same table as a service's.

The pod says it first: a Job knows nothing of an image that cannot be pulled until its deadline, and of a crash a moment
later. But of a pod that is being deleted only the Job knows whether that was the deadline.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mill_api.manifests import RUN_TTL_SECONDS
from mill_api.service_status import ServiceStatus, State
from mill_api.task_status import RunState, TaskRun
from mill_operator.core import limits, timestamps
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects.service import ServiceRequest
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.tasks.run_rules import RUN_BY_ID, RUN_RULES, RUN_TABLE, TIMED_OUT, UNEXPLAINED
from mill_operator.core.verdicts.findings import Finding, find, next_minute
from mill_operator.core.verdicts.lookup_requests import SILENCE, LookupRequest, lookup_requests, next_lookup_at
from mill_operator.core.verdicts.pod_subjects import pod_subjects
from mill_operator.core.verdicts.rule_input import CreationSubject, PodSubject, Subject
from mill_operator.core.verdicts.rules.nodes import NODE_LOST
from mill_operator.core.verdicts.rules.readiness import SLOW_PULL
from mill_operator.core.verdicts.rules.writes import INTERNAL
from mill_operator.core.verdicts.unjudged import AGAIN_FAILED, AGAIN_SUSPECT, internal_error_finding

STOPPED_KEPT = timedelta(seconds=RUN_TTL_SECONDS)
"""How long a run is reported whose Job was deleted: as long as if it had ended by itself."""
_SAID = ("reason", "message", "detail", "suggestion")
"""The fields of a run that tell people what is wrong."""
_WHY = (*_SAID, "rule", "since")
"""These, and what the next observation has to know of it."""
PULLED_TO_THE_END = "its image was still being pulled"
"""Added to a time limit that came before a pull was long enough to be reported."""
NOT_MADE = "FailedCreate"
"""The event of a Job that may not create its pod, which its status does not report."""


@dataclass(frozen=True, slots=True)
class RunObservation:
    """A run at one moment, when to observe it again though nothing happens, and lookups that would tell more."""

    run: TaskRun
    wake_at: datetime | None = None
    lookup_requests: frozenset[LookupRequest] = frozenset()


def observe_run(
    job: ObservedJob, pod: ObservedPod | None, before: TaskRun | None, results: LookupResults, now: datetime
) -> RunObservation:
    """Return one run. `before` may be another of that name, which was deleted meanwhile."""
    created = timestamps.render(job.created)
    if before is None or before.created_at != created:
        before = TaskRun(name=job.key.name, created_at=created)
    elif before.rule == INTERNAL.id or not before.state.known:
        # That is no verdict, and neither is a state of a newer release that was rolled back. Its Job has the state.
        unknown = dict.fromkeys(("finished_at", *_WHY))
        before = before.model_copy(update={"state": RunState.PENDING, **unknown})
    if before.finished_at is not None:  # an end is final; our watch of pods may have been behind when it came
        return RunObservation(before if before.started_at else _with_pod(before, pod))
    run = _with_pod(before, pod)
    if _ended_well(job, pod):
        ended = _with_state(run, RunState.SUCCEEDED, None, _finished_at(job, pod) or now)
        return RunObservation(ended.model_copy(update={"exit_code": 0}))
    if before.state is RunState.FAILED and (job.failure is not None or (pod is not None and pod.terminating)):
        # It had failed long before its deadline came, or it was stopped.
        finished = _finished_at(job, pod) if job.failure is not None else None
        give_up_at = None if finished is not None or pod is None else _give_up_at(pod)
        is_lost = give_up_at is not None and give_up_at <= now
        return RunObservation(_ended(before, now if is_lost else finished), give_up_at)
    if pod is None and job.failure is None and before.node is not None:
        return RunObservation(before)  # its pod is gone, and the Job will report why
    finding, wake_at = _finding(job, pod, before, results, now)
    asked = _run_lookups(job, pod, before, now)
    if finding is not None and finding.due is not None and finding.due <= now:
        return RunObservation(_with_state(run, RunState.FAILED, finding, _finished_at(job, pod)), wake_at, asked)
    waiting = _with_state(run, RunState.RUNNING if run.started_at else RunState.PENDING, finding, None)
    if finding is not None and finding.is_expected(now):
        waiting = waiting.model_copy(update=dict.fromkeys(_SAID))  # a normal step of a start is no news
    return RunObservation(waiting, wake_at, asked)


def observe_run_without_job(before: TaskRun, pod: ObservedPod | None, now: datetime) -> RunObservation | None:
    """Return a run whose Job was deleted; None if it is no longer reported."""
    if before.finished_at is None:
        if pod is not None and _may_run(pod):
            give_up_at = _give_up_at(pod)
            if give_up_at is None or now < give_up_at:
                return RunObservation(before, give_up_at)  # it is still ending
        # What was wrong with it stays, since that may be why it was stopped.
        before = _ended(before.model_copy(update={"state": RunState.STOPPED}), now)
    elif before.state is not RunState.STOPPED:
        return None
    forget_at = timestamps.parse(before.finished_at or before.created_at) + STOPPED_KEPT
    return RunObservation(before, forget_at) if forget_at > now else None


def observe_unjudged_run(
    job: ObservedJob, before: TaskRun | None, internal_error: InternalError, now: datetime
) -> RunObservation:
    """Return a run that cannot be judged because of an internal error: failed if that persists. It may recover."""
    created = timestamps.render(job.created)
    if before is None or before.created_at != created:
        before = TaskRun(name=job.key.name, created_at=created)
    known = (before.message, before.since) if before.rule == INTERNAL.id and before.message and before.since else None
    finding = internal_error_finding(job.task, internal_error, known, now)
    if finding.due is None or finding.due > now:
        return RunObservation(
            _with_state(before, before.state, finding, None), min(finding.due or now, now + AGAIN_SUSPECT)
        )
    return RunObservation(_with_state(before, RunState.FAILED, finding, None), now + AGAIN_FAILED)


def _with_pod(before: TaskRun, pod: ObservedPod | None) -> TaskRun:
    if pod is None:
        return before
    started = pod.first_started
    return before.model_copy(
        update={
            "node": pod.node,
            "started_at": timestamps.render(started) if started else before.started_at,
            "exit_code": pod.container.ended.exit_code if pod.container.ended else None,
        }
    )


def _with_state(run: TaskRun, state: RunState, finding: Finding | None, finished: datetime | None) -> TaskRun:
    why: dict[str, str | None] = dict.fromkeys(_WHY)
    if finding is not None:
        why = {
            "reason": finding.rule.code,
            "message": finding.message[: limits.RUN_MESSAGE_LENGTH],
            "detail": finding.detail[: limits.RUN_MESSAGE_LENGTH] or None,
            "suggestion": finding.suggestion or None,
            "rule": finding.rule.id,
            "since": timestamps.render(finding.since),
        }
    return _ended(run.model_copy(update={"state": state, **why}), finished)


def _ended(run: TaskRun, finished: datetime | None) -> TaskRun:
    """Note when a run has ended. The fields for the next observation have no use then."""
    if finished is None:
        return run
    return run.model_copy(update={"finished_at": timestamps.render(finished), "rule": None, "since": None})


def _ended_well(job: ObservedJob, pod: ObservedPod | None) -> bool:
    """Return whether the program has succeeded, though an injected container may still run."""
    if job.succeeded or job.failure is not None:
        return job.succeeded
    return pod is not None and _done(pod) and not pod.terminating


def _give_up_at(pod: ObservedPod) -> datetime | None:
    """Return when a pod counts as ended that is being deleted: on a lost node it is there until the node is."""
    return None if pod.stops_at is None else pod.stops_at + NODE_LOST.grace


def _done(pod: ObservedPod) -> bool:
    return pod.container.ended is not None and pod.container.ended.exit_code == 0


def _may_run(pod: ObservedPod) -> bool:
    return pod.container.ended is None and pod.phase not in ("Succeeded", "Failed")


def _finished_at(job: ObservedJob, pod: ObservedPod | None) -> datetime | None:
    """Return when the last container of a run with a verdict ended; None if one may still run."""
    end = pod.container.ended.finished_at if pod and pod.container.ended else None
    return max(end, job.created) if end else job.finished_at


def _finding(
    job: ObservedJob, pod: ObservedPod | None, before: TaskRun, results: LookupResults, now: datetime
) -> tuple[Finding | None, datetime | None]:
    """Return the most severe finding, and when to observe the run again."""
    request = _request(job)
    previous = _as_service_status(before, job)
    subjects: Iterable[Subject]
    if pod is not None:
        subjects = pod_subjects(PodSubject(request=request, results=results, previous=previous, pod=pod, job=job))
    else:
        event = results.newest_event(job.uid, NOT_MADE)
        refusal = event.message.removeprefix("Error creating: ") if event else ""
        subjects = [CreationSubject(request=request, results=results, previous=previous, refusal=refusal, job=job)]
    found = find(job.key.name, list(subjects), None, now, RUN_TABLE)
    if pod is not None and (pod.container.running_since is not None or _done(pod)):
        # The table has rows for services, which must be ready and keep running, and for injected containers.
        found = [each for each in found if each.rule in (NODE_LOST, *RUN_RULES)]
    weighed = [_as_end_of_run(each, job, pod, now) for each in found]
    moments = [moment for each in weighed for moment in (each.due, next_minute(each, now))]
    wake_at = min((each for each in moments if each is not None and each > now), default=None)
    if pod is not None:
        wake_at = min((each for each in (wake_at, next_lookup_at(pod, now)) if each is not None), default=None)
    elif job.failure is None:
        wake_at = _next_pod_lookup_at(job, now)
    gravest = min(weighed, key=lambda each: each.due is None or each.due > now, default=None)
    return (_with_known_cause(gravest, before, now) if gravest else None), wake_at


def _as_end_of_run(finding: Finding, job: ObservedJob, pod: ObservedPod | None, now: datetime) -> Finding:
    """Return a finding with the time from which it ends the run. One crash is enough, where a service may have two."""
    if finding.rule is UNEXPLAINED or finding.rule is NODE_LOST:
        return finding
    if job.failure is not None:
        return replace(finding, due=now)
    if pod is not None and pod.terminating:
        return replace(finding, due=None)  # it is being stopped, and the Job says why
    over = pod is not None and (pod.container.ended is not None or pod.phase == "Failed")
    return replace(finding, due=now) if over else finding


def _with_known_cause(finding: Finding, before: TaskRun, now: datetime) -> Finding:
    """Add the cause that was known before to the message of a Job, which has none."""
    known = RUN_BY_ID.get(before.rule or "")
    if finding.rule is TIMED_OUT and known is SLOW_PULL and before.message is None and before.started_at is None:
        return replace(finding, message=f"{finding.message}: {PULLED_TO_THE_END}")
    if known is None or before.message is None:
        return finding
    if finding.rule is UNEXPLAINED and known is not UNEXPLAINED:
        return replace(
            finding,
            rule=known,
            message=before.message,
            detail=before.detail or "",
            suggestion=before.suggestion or "",
            due=now,
        )
    if finding.rule is TIMED_OUT and before.started_at is None:
        return replace(finding, message=f"{finding.message}: {before.message}")
    return finding


def _request(job: ObservedJob) -> ServiceRequest:
    read_only = job.has_read_only_root
    return ServiceRequest(job.image, job.memory, job.secrets, pull=job.pull, has_read_only_root=read_only)


def _as_service_status(before: TaskRun, job: ObservedJob) -> ServiceStatus | None:
    """Return the previous state in the form of a service's status, which the table reads."""
    if before.rule is None:
        return None
    return ServiceStatus(
        name=job.task,
        state=State.FAILED if before.state is RunState.FAILED else State.SUSPECT,
        image=job.image,
        reason=before.reason,
        message=before.message,
        detail=before.detail,
        suggestion=before.suggestion,
        rule=before.rule,
        since=before.since,
    )


def _run_lookups(job: ObservedJob, pod: ObservedPod | None, before: TaskRun, now: datetime) -> frozenset[LookupRequest]:
    if pod is not None:
        previous = _as_service_status(before, job)
        return frozenset(lookup_requests([pod], (), request=_request(job), previous=previous, now=now))
    if job.failure is None and now - job.created >= SILENCE:
        return frozenset({LookupRequest("events", job.uid, job.key.namespace)})
    return frozenset()


def _next_pod_lookup_at(job: ObservedJob, now: datetime) -> datetime:
    """Return when to look up again why a Job has no pod: its status does not report it."""
    pause = SILENCE
    while job.created + pause <= now:
        pause *= 2
    return job.created + pause
