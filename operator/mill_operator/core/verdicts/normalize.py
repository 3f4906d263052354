"""Pods as the rules look at them: what happened since the request, by our clock, with each of their containers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from mill_api.status import Phase, ServiceStatus, State
from mill_objects.kubelet import CREATING
from mill_operator.core import timestamps
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts import pulls
from mill_operator.core.verdicts.rule_input import PodSubject
from mill_operator.core.verdicts.rules.readiness import READINESS, UNREADY
from mill_operator.core.verdicts.rules.runs import ENDS

_RUNNING: Final = frozenset(rule.code for rule in (*ENDS, *READINESS))
"""Codes of what can be wrong only with a container that has started."""

CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""Clocks differ by no more: a time that is earlier by more is earlier, and one observed later by more was missed."""
CLOCKS_AGREE: Final = timedelta(seconds=2)
"""Times in a pod's status are whole seconds, and the operator observes them a moment later."""


def since_request(pod: ObservedPod, requested_at: datetime | None) -> ObservedPod:
    """Return a pod without what happened to it before the request, if it is older than that."""
    if requested_at is None or pod.created + CLOCKS_DIFFER >= requested_at:
        return pod
    told_before = (pod.status_updated_at or pod.created) + CLOCKS_DIFFER < requested_at
    ours = pod.container
    ended, last_ended = (_if_since(end, requested_at) for end in (ours.ended, ours.last_ended))
    stopped = ended is not None or ours.waiting_reason == "CrashLoopBackOff"
    ends = (ended is not None) + (last_ended is not None)
    silent = told_before and ours.waiting_reason not in CREATING
    container = replace(
        ours,
        waiting_reason="" if silent else ours.waiting_reason,
        waiting_message="" if silent else ours.waiting_message,
        ended=ended,
        last_ended=last_ended,
        restarts=max(0, ends - stopped),
    )
    return replace(pod, container=container, injected=() if told_before else pod.injected)


def _if_since(end: Termination | None, requested_at: datetime) -> Termination | None:
    known_older = end is not None and end.finished_at is not None and end.finished_at < requested_at
    return None if known_older else end


def evicted(pods: Sequence[ObservedPod], template: str, requested_at: datetime | None) -> tuple[ObservedPod, ...]:
    """Return the pods that nodes have evicted since the request, oldest first."""
    all_of_them = (pod for pod in pods if pod.template == template and pod.reason == "Evicted")
    since = (pod for pod in all_of_them if requested_at is None or pod.created + CLOCKS_DIFFER >= requested_at)
    return tuple(sorted(since, key=lambda pod: pod.created))


def pod_subjects(subject: PodSubject) -> Iterator[PodSubject]:
    """Yield a pod with our container, and with each injected one that keeps it from being ready."""
    yield _with_cause(subject)
    for other in subject.pod.injected:
        is_running_init = other.is_init and other.running_since is not None  # it should end, and may take its time
        if not is_running_init:
            request = replace(subject.request, image=other.image, memory=other.memory, secrets=())
            pod = replace(subject.pod, container=other, injected=())
            yield _with_cause(replace(subject, request=request, container=other.name, pod=pod))


def _with_cause(subject: PodSubject) -> PodSubject:
    """Put the cause that an event names into a pod whose pull failure names none.

    A cause that the status already has is as good, and needs no event.
    """
    pod, image = subject.pod, subject.request.image
    if not pulls.names_no_cause(pod.container) or pulls.is_known_cause(subject.previous, image):
        return subject
    cause = pulls.cause_in_events(subject.results.events.get(pod.uid, ()), image)
    if cause is None:
        return subject
    return replace(subject, pod=replace(pod, container=replace(pod.container, waiting_message=cause)))


def node_clock_skew(pods: Sequence[ObservedPod], previous: ServiceStatus | None, now: datetime) -> timedelta:
    """Return how far the nodes' clocks are behind ours: a start has the node's time, and the operator has observed it.

    The status has the time of the observation, for the first pod that started. Without it, times count as they are.
    """
    begun = [max(pod.first_started, pod.unready_since or pod.first_started) for pod in pods if pod.first_started]
    seen = _seen_to_begin(previous, now)
    if not begun or seen is None:
        return timedelta(0)
    shift = min(max(seen - min(begun), -CLOCKS_DIFFER), CLOCKS_DIFFER)
    return shift if abs(shift) > CLOCKS_AGREE else timedelta(0)


def _seen_to_begin(previous: ServiceStatus | None, now: datetime) -> datetime | None:
    """Return when the operator observed, by its own clock, that a service had started or lost its health."""
    if previous is None:
        return None
    if previous.state in (State.PENDING, State.PULLING, State.HEALTHY):
        return now
    if previous.rule == UNREADY and previous.since is not None:
        return timestamps.parse(previous.since)
    begun: str | None = None
    for step in previous.transitions:
        if step.phase is Phase.HEALTHY:
            begun = None
        elif begun is None and (step.phase is Phase.STARTING or step.code in _RUNNING):
            begun = step.at
    return timestamps.parse(begun) if begun else None
