"""How pods are looked at: what happened to them since somebody asked, by our clock, with each of their containers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from mill_api.status import Phase, ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.observed.containers import CREATING, PULL_PROBLEMS, ContainerFacts, Ended
from mill_operator.core.observed.pods import PodFacts
from mill_operator.core.verdicts.container_predicates import SAYS_NO_CAUSE, cause_known
from mill_operator.core.verdicts.rule_input import Subject
from mill_operator.core.verdicts.rules import UNREADY

CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""By so much at most: what is earlier by more is surely earlier; what we saw later by more is what we have missed."""
CLOCKS_AGREE: Final = timedelta(seconds=2)
"""Times in a pod's status are whole seconds, and it takes us a moment to see them."""


def since_asked(pod: PodFacts, asked_at: datetime | None) -> PodFacts:
    """Leave out of a pod what happened to it before somebody asked, if it is older than that."""
    if asked_at is None or pod.created + CLOCKS_DIFFER >= asked_at:
        return pod
    told_before = (pod.told_at or pod.created) + CLOCKS_DIFFER < asked_at
    ended, last_ended = (_if_since(end, asked_at) for end in (pod.ended, pod.last_ended))
    stopped = ended is not None or pod.waiting_reason == "CrashLoopBackOff"
    ends = (ended is not None) + (last_ended is not None)
    silent = told_before and pod.waiting_reason not in CREATING
    return replace(
        pod,
        waiting_reason="" if silent else pod.waiting_reason,
        waiting_message="" if silent else pod.waiting_message,
        ended=ended,
        last_ended=last_ended,
        restarts=max(0, ends - stopped),
        others=() if told_before else pod.others,
    )


def _if_since(end: Ended | None, asked_at: datetime) -> Ended | None:
    known_older = end is not None and end.finished_at is not None and end.finished_at < asked_at
    return None if known_older else end


def evicted(pods: Sequence[PodFacts], template: str, asked_at: datetime | None) -> tuple[PodFacts, ...]:
    """Return the pods that nodes have pushed out since somebody asked, the oldest first."""
    all_of_them = (pod for pod in pods if pod.template == template and pod.reason == "Evicted")
    since = (pod for pod in all_of_them if asked_at is None or pod.created + CLOCKS_DIFFER >= asked_at)
    return tuple(sorted(since, key=lambda pod: pod.created))


def views(subject: Subject) -> Iterator[Subject]:
    """Yield a pod as it looks with our container, and with each of the others that keep it from being ready."""
    if (pod := subject.pod) is None:
        return
    yield _with_cause(subject, pod)
    for other in pod.others:
        runs_its_course = other.passing and other.running_since is not None  # it should end, and may take its time
        if not runs_its_course:
            asked = replace(subject.asked, image=other.image, memory=other.memory, secrets=())
            yield _with_cause(replace(subject, asked=asked, container=other.name), _seen_with(pod, other))


def _with_cause(subject: Subject, pod: PodFacts) -> Subject:
    """Put the cause that an event names into a pod that says no more than that the kubelet waits with its pull.

    Kubelets before 1.32 are like that. What was said of the image before is as good, and needs no event.
    """
    silent = pod.waiting_reason in PULL_PROBLEMS and SAYS_NO_CAUSE.search(pod.waiting_message)
    if silent and not cause_known(subject.before, subject.asked.image):
        about_it = f'Failed to pull image "{subject.asked.image}"'
        events = (each.message for each in subject.answers.events.get(pod.uid, ()))
        causes = (said for said in events if said.startswith(about_it) and not SAYS_NO_CAUSE.search(said))
        pod = replace(pod, waiting_message=next(causes, pod.waiting_message))
    return replace(subject, pod=pod)


def _seen_with(pod: PodFacts, other: ContainerFacts) -> PodFacts:
    return replace(
        pod,
        container_ready=other.ready,
        image_present=other.image_present,
        waiting_reason=other.waiting_reason,
        waiting_message=other.waiting_message,
        running_since=other.running_since,
        ended=other.ended,
        last_ended=other.last_ended,
        restarts=other.restarts,
        others=(),
    )


def clock_shift(pods: Sequence[PodFacts], previous: ServiceStatus | None, now: datetime) -> timedelta:
    """Return how far the nodes' clocks are behind ours: a start's time is a node's, and we know when we saw it.

    What we saw is in the status, for the first of the pods that began. Without it the times are taken as they are.
    """
    begun = [max(pod.first_started, pod.unready_since or pod.first_started) for pod in pods if pod.first_started]
    seen = _seen_to_begin(previous, now)
    if not begun or seen is None:
        return timedelta(0)
    shift = min(max(seen - min(begun), -CLOCKS_DIFFER), CLOCKS_DIFFER)
    return shift if abs(shift) > CLOCKS_AGREE else timedelta(0)


def _seen_to_begin(previous: ServiceStatus | None, now: datetime) -> datetime | None:
    """Return when we saw, by our own clock, that a service had begun, or had lost its health."""
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
        elif begun is None and step.phase in (Phase.STARTING, Phase.SUSPECT, Phase.FAILED):
            begun = step.at
    return timestamps.parse(begun) if begun else None
