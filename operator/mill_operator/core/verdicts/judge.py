"""The observation of one service, from its pods: its state, and what the rules find wrong.

The pods that count have the hash of the desired template, whatever the status of a controller says: it lags.
Pods that are being deleted, or that a node has evicted, are no evidence against the service.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypedDict

from mill_api.status import Replicas, ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects.service import DesiredService, ServiceRequest
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod, pods_of_template, pods_with_image, serving_pods, serving_since
from mill_operator.core.verdicts import pulls
from mill_operator.core.verdicts.dependence import INDEPENDENT, Dependence, has_crashed_before, pods_to_renew
from mill_operator.core.verdicts.findings import MINUTE, Finding, find
from mill_operator.core.verdicts.lookup_requests import LookupRequest, lookup_requests, next_lookup_at
from mill_operator.core.verdicts.patience import blocked, with_patience
from mill_operator.core.verdicts.pod_subjects import (
    evicted,
    node_clock_skew,
    pod_subjects,
    rejected,
    since_request,
)
from mill_operator.core.verdicts.rule_input import (
    CreationSubject,
    EvictionSubject,
    PodSubject,
    Problem,
    Subject,
    WriteSubject,
)
from mill_operator.core.verdicts.rules.readiness import SLOW_PULL
from mill_operator.core.verdicts.settling_pods import SettlingPods, Window, settling_pods

QUIET_PULL = timedelta(seconds=5)
"""A pod whose image is still being pulled counts as scheduled after that long without an error."""
SETTLE_WITHOUT_PROBE = timedelta(seconds=2)
"""How long a container without a port must run to count as healthy."""
SETTLE_AFTER_CRASH = timedelta(seconds=10)
"""How long a container that has crashed before must stay ready to count as healthy again."""
SERVING_IMAGES: Final = 3
"""Images of serving pods that are reported: more than two versions serve only for moments."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A service at one moment."""

    service: str
    image: str
    template: str
    replicas: Replicas
    nodes: tuple[str, ...]
    """Nodes on which its pods count as scheduled."""
    state: State
    finding: Finding | None
    wake_at: datetime | None
    """When to observe it again though nothing happens."""
    settling: SettlingPods
    """What its pods report about its settling window."""
    settle: timedelta = timedelta(0)
    """How long it must stay ready before its rollout succeeds."""
    serving_since: datetime | None = None
    """Since when at least one pod of any version serves, by its node's clock; None if none does."""
    serving_images: tuple[str, ...] = ()
    """Images of the pods that serve, the most frequent first."""
    root: str | None = None
    """The failed service that its own failure follows from."""
    resumed_at: datetime | None = None
    """When its time limits began to run, as it had no other service to wait for any more."""
    renewed: tuple[ObservedPod, ...] = ()
    """Pods that crashed while something that it refers to did not serve, and are to be replaced."""
    recreated: bool = False
    """Whether the pods of the older version had to end first."""
    lookup_requests: frozenset[LookupRequest] = frozenset()
    """Lookups that would help to judge it."""
    internal_error: InternalError | None = None
    """Why it could not be judged, or not even rendered."""


class Known(TypedDict):
    """The fields of every `Subject`."""

    request: ServiceRequest
    results: LookupResults
    previous: ServiceStatus | None


@dataclass(frozen=True, slots=True)
class JudgeInput:
    """Everything about one service that its observation is made of."""

    service: DesiredService
    pods: Sequence[ObservedPod] = ()
    claims: Sequence[ObservedChild] = ()
    """The claims of its volumes."""
    deployment: ObservedChild | None = None
    problem: Problem | None = None
    """Why an object of it could not be written."""
    previous: ServiceStatus | None = None
    """Its status, which remembers since when a rule has matched."""
    results: LookupResults = NO_RESULTS
    requested_at: datetime | None = None
    """Evidence that is older does not count."""
    dependence: Dependence = INDEPENDENT
    is_held: bool = False
    """Whether its new version does not begin before others have settled."""
    window: Window | None = None
    """The open settling window of the desired template, also if an earlier rollout has opened it."""


def judge(given: JudgeInput, now: datetime) -> Observation:
    """Observe one service: match its pods, its Deployment and its problems with the rules."""
    service, problem, previous, dependence = given.service, given.problem, given.previous, given.dependence
    renewed = pods_to_renew(service, given.pods, dependence)
    pods = [pod for pod in given.pods if pod not in renewed] if renewed else given.pods
    requested_at = given.requested_at
    replicas = given.deployment.replicas if given.deployment else None
    ours = pods_of_template(pods, service.template)
    blamed = pods_with_image(ours, service.request.image)
    desired = next((each for each in (service.replicas, replicas) if each is not None), 1)
    healthy = [pod for pod in ours if pod.ready and ((moment := _settled_at(pod, service)) is None or moment <= now)]
    enough = len(healthy) >= desired and replicas is not None and problem is None
    before = previous
    if previous is not None and min(len(healthy), desired) > previous.replicas.healthy:
        before = None  # one more is ready, so that what we wait for is moving: timers start again
    known: Known = {"request": service.request, "results": given.results, "previous": before}
    subjects: list[Subject] = [WriteSubject(problem=problem, **known)] if problem else []
    if len(ours) < desired and given.deployment:  # a refusal is not about these pods if all are created
        subjects.append(CreationSubject(refusal=given.deployment.refusal, **known))
    troubled: list[ObservedPod] = []
    if not enough:  # a surplus pod goes in a moment, and is no failure
        # In a fixed order, so that of several pods with the same trouble the same one is always reported.
        in_trouble = sorted(
            (
                each
                for each in blamed
                if each not in healthy and not (each.ready and has_crashed_before(each, dependence))
            ),
            key=lambda pod: (pod.created, pod.uid),
        )
        troubled = [since_request(pod, requested_at) for pod in in_trouble]
        gone = evicted(pods, service.template, requested_at), rejected(pods, service.template, requested_at, now)
        subjects.append(EvictionSubject(pods=gone[0], recent=gone[1], **known))
        skew, claims = node_clock_skew(troubled, previous, now), tuple(given.claims)
        for pod in troubled:
            subjects += pod_subjects(PodSubject(pod=pod, claims=claims, node_clock_skew=skew, **known))
    findings = with_patience(find(service.name, subjects, requested_at, now), dependence, now)
    if given.is_held:
        findings = [blocked(service.name, dependence, now)]
    finding = findings[0] if findings else None
    requests = lookup_requests(troubled, given.claims, image=service.request.image, previous=before, now=now)
    serving = serving_pods(pods)
    known_since = timestamps.unless_ahead(previous.serving_since, now) if previous is not None else None
    has_window = replicas is not None and problem is None and not given.is_held and not _has_settled(given)
    return Observation(
        service=service.name,
        image=service.request.image,
        template=service.template,
        replicas=Replicas(
            desired=desired, updated=len(blamed), healthy=min(len(healthy), desired), serving=len(serving)
        ),
        nodes=tuple(dict.fromkeys(pod.node for pod in ours if pod.node and _is_scheduled(pod, now))),
        state=_state(ours, finding, now, enough=enough, is_held=given.is_held),
        finding=finding,
        wake_at=_wake_at(service, ours, findings, now),
        lookup_requests=frozenset(requests),
        settling=settling_pods(
            blamed,
            healthy,
            desired=desired,
            available=given.deployment.available if given.deployment and not problem else 0,
            others_ready=sum(pod.template != service.template for pod in serving),
            window=given.window,
        )
        if has_window
        else SettlingPods(all_ready=False),
        settle=service.settle,
        root=finding.root if finding is not None else None,
        resumed_at=dependence.resumed_at,
        renewed=tuple(renewed),
        serving_since=known_since or serving_since(serving, now) if serving else None,
        serving_images=_images(serving),
        recreated=service.recreate and problem is None,
    )


def _has_settled(given: JudgeInput) -> bool:
    """Return whether the template has no window any more."""
    known = given.previous
    return known is not None and known.settled_at is not None and known.template == given.service.template


def _images(serving: Sequence[ObservedPod]) -> tuple[str, ...]:
    """Return the images of some pods, the most frequent first."""
    images = [pod.container.image for pod in serving]
    if len({*images}) < 2:
        return tuple(images[:1])
    counts = Counter(images)
    return tuple(sorted(counts, key=lambda image: (-counts[image], image))[:SERVING_IMAGES])


def _settled_at(pod: ObservedPod, service: DesiredService) -> datetime | None:
    """Return from when on a ready pod counts as healthy; None: at once, whatever the node's clock says."""
    if pod.container.crashes and pod.ready_at is not None:
        return (pod.status_updated_at or pod.ready_at) + SETTLE_AFTER_CRASH
    if not service.probed and pod.container.running_since is not None:
        return (pod.status_updated_at or pod.container.running_since) + SETTLE_WITHOUT_PROBE
    return None


def _is_scheduled(pod: ObservedPod, now: datetime) -> bool:
    if pod.container.image_present:
        return True
    return not pulls.is_failing(pod.container) and pod.bound_at is not None and now >= pod.bound_at + QUIET_PULL


def _state(
    pods: Sequence[ObservedPod], finding: Finding | None, now: datetime, *, enough: bool, is_held: bool
) -> State:
    if finding is not None and finding.is_due(now):
        return State.FAILED
    if is_held:
        return State.WAITING
    if enough:
        return State.HEALTHY
    if finding is not None and finding.is_suspicion(now):
        return State.SUSPECT
    if any(pod.container.image_present for pod in pods):
        return State.STARTING
    return State.PULLING if any(pod.node for pod in pods) else State.PENDING


def _wake_at(
    service: DesiredService, pods: Sequence[ObservedPod], findings: Sequence[Finding], now: datetime
) -> datetime | None:
    moments = [finding.due for finding in findings]
    moments += [_next_minute(finding, now) for finding in findings if finding.rule is SLOW_PULL]
    for pod in pods:
        if pod.ready:
            moments.append(_settled_at(pod, service))
        if pod.bound_at is not None and not pod.container.image_present:
            moments.append(pod.bound_at + QUIET_PULL)
        moments.append(next_lookup_at(pod, now))
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def _next_minute(finding: Finding, now: datetime) -> datetime:
    """Return when the message of a slow pull changes next."""
    expected = finding.rule.expected_for or MINUTE
    return finding.since + max(expected, ((now - finding.since) // MINUTE + 1) * MINUTE)
