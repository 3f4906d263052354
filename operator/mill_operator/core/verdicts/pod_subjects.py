"""Pods as subjects of the rules: without what happened before the request, by the operator's clock, per container."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from mill_api.service_status import Phase, ServiceStatus, State
from mill_objects.kubelet import CREATING
from mill_operator.core import timestamps
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.timestamps import CLOCKS_DIFFER
from mill_operator.core.verdicts import pulls
from mill_operator.core.verdicts.rule_input import PodSubject
from mill_operator.core.verdicts.rules.readiness import READINESS, UNREADY, UNREADY_PORT
from mill_operator.core.verdicts.rules.runs import ENDS

_RUNNING: Final = frozenset(rule.code for rule in (*ENDS, *READINESS))
"""Codes of what can be wrong only with a container that has started."""

REJECTED_FOR: Final = timedelta(minutes=10)
"""After this time, a pod that was rejected is no evidence any more."""
NOT_REJECTED: Final = frozenset(
    {
        "",
        "Terminated",
        "NodeShutdown",
        "Shutdown",
        "Preempting",
        "NodeLost",
        "DeadlineExceeded",
        "ContainerStatusUnknown",
    }
)
"""Reasons of pods that have run, or whose node goes away."""

CLOCKS_AGREE: Final = timedelta(seconds=2)
"""Smaller differences are no skew: times of a pod are whole seconds, and the operator observes them a moment later."""


def since_request(pod: ObservedPod, requested_at: datetime | None) -> ObservedPod:
    """Return a pod without what happened to it before the request, if it is older than that."""
    if requested_at is None or pod.created + CLOCKS_DIFFER >= requested_at:
        return pod
    reported_before = (pod.status_updated_at or pod.created) + CLOCKS_DIFFER < requested_at
    main = pod.container
    ended, last_ended = (_if_since(end, requested_at) for end in (main.ended, main.last_ended))
    stopped = ended is not None or main.waiting_reason == "CrashLoopBackOff"
    ends = (ended is not None) + (last_ended is not None)
    is_outdated = reported_before and main.waiting_reason not in CREATING
    container = replace(
        main,
        waiting_reason="" if is_outdated else main.waiting_reason,
        waiting_message="" if is_outdated else main.waiting_message,
        ended=ended,
        last_ended=last_ended,
        restarts=max(0, ends - stopped),
    )
    return replace(pod, container=container, injected=() if reported_before else pod.injected)


def _if_since(end: Termination | None, requested_at: datetime) -> Termination | None:
    known_older = end is not None and end.finished_at is not None and end.finished_at < requested_at
    return None if known_older else end


def evicted(pods: Sequence[ObservedPod], template: str, requested_at: datetime | None) -> tuple[ObservedPod, ...]:
    """Return the pods that nodes have evicted since the request, oldest first."""
    ended = (pod for pod in pods if pod.template == template and pod.reason == "Evicted")
    return _since(ended, requested_at)


def rejected(
    pods: Sequence[ObservedPod], template: str, requested_at: datetime | None, now: datetime
) -> tuple[ObservedPod, ...]:
    """Return the pods that kubelets have rejected or evicted of late, oldest first, after the last admitted one."""
    ours = [pod for pod in pods if pod.template == template]
    ended = (pod for pod in ours if pod.phase == "Failed" and pod.reason not in NOT_REJECTED)
    recent = [pod for pod in _since(ended, requested_at) if pod.created + REJECTED_FOR >= now]
    admitted = max((pod.created for pod in ours if _is_admitted(pod)), default=None)
    return tuple(pod for pod in recent if admitted is None or pod.created > admitted)


def _is_admitted(pod: ObservedPod) -> bool:
    return (
        pod.phase not in ("Failed", "Succeeded")
        and pod.node is not None
        and (pod.container.waiting_reason != "" or pod.container.running_since is not None)
    )


def _since(pods: Iterable[ObservedPod], requested_at: datetime | None) -> tuple[ObservedPod, ...]:
    since = (pod for pod in pods if requested_at is None or pod.created + CLOCKS_DIFFER >= requested_at)
    return tuple(sorted(since, key=lambda pod: pod.created))


def pod_subjects(subject: PodSubject) -> Iterator[PodSubject]:
    """Yield a pod with its main container, and with each injected one that keeps the pod from being ready."""
    yield _with_cause(subject)
    for other in subject.pod.injected:
        is_running_init = other.is_init and other.running_since is not None  # it should end, and may take its time
        if not is_running_init:
            request = replace(subject.request, image=other.image, memory=other.memory, secrets=())
            pod = replace(subject.pod, container=other, injected=())
            yield _with_cause(replace(subject, request=request, container=other.name, pod=pod))


def _with_cause(subject: PodSubject) -> PodSubject:
    """Return a subject whose pull failure has the cause that an Event names, if the kubelet names none.

    A cause that the status already has serves as well, and needs no Event.
    """
    pod, image = subject.pod, subject.request.image
    if not pulls.names_no_cause(pod.container) or pulls.is_known_cause(subject.previous, image):
        return subject
    cause = pulls.cause_in_events(subject.results.events.get(pod.uid, ()), image)
    if cause is None:
        return subject
    return replace(subject, pod=replace(pod, container=replace(pod.container, waiting_message=cause)))


def node_clock_skew(pods: Sequence[ObservedPod], previous: ServiceStatus | None, now: datetime) -> timedelta:
    """Return how far the nodes' clocks are behind the operator's: a start has the node's time, its observation ours.

    The status has the time of the observation, for the first pod that started. Without it, the skew is zero.
    """
    starts = [max(pod.first_started, pod.unready_since or pod.first_started) for pod in pods if pod.first_started]
    observed_at = _start_observed_at(previous, now)
    if not starts or observed_at is None:
        return timedelta(0)
    shift = min(max(observed_at - min(starts), -CLOCKS_DIFFER), CLOCKS_DIFFER)
    return shift if abs(shift) > CLOCKS_AGREE else timedelta(0)


def _start_observed_at(previous: ServiceStatus | None, now: datetime) -> datetime | None:
    """Return when the operator observed, by its own clock, that a service had started or lost its health."""
    if previous is None:
        return None
    if previous.state in (State.PENDING, State.PULLING, State.HEALTHY):
        return now
    if previous.rule in (UNREADY, UNREADY_PORT) and previous.since is not None:
        return timestamps.parse(previous.since)
    started_at: str | None = None
    for step in previous.transitions:
        if step.phase is Phase.HEALTHY:
            started_at = None
        elif started_at is None and (step.phase is Phase.STARTING or step.code in _RUNNING):
            started_at = step.at
    return timestamps.parse(started_at) if started_at else None
