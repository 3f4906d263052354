"""The observation of one service, from its pods: its state, and what the rules find wrong.

The pods that count have the hash of the desired template, whatever the status of a controller says: it lags.
Pods that are being deleted, or that a node has evicted, are no evidence against the service.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypedDict

from mill_api.service_status import Replicas, ServiceStatus, State
from mill_operator.core.objects.service import DesiredService, ServiceRequest
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.pods import ObservedPod, pods_of_template, pods_with_image, serving_pods, serving_since
from mill_operator.core.verdicts import pulls
from mill_operator.core.verdicts.dependence import has_crashed_before, pods_to_renew
from mill_operator.core.verdicts.findings import Finding, find, next_minute
from mill_operator.core.verdicts.health_checks import failing_health_check, reported_at
from mill_operator.core.verdicts.lookup_requests import lookup_requests, next_lookup_at, probes_looked_up_at
from mill_operator.core.verdicts.observation import JudgeInput, Observation
from mill_operator.core.verdicts.patience import blocked, with_patience
from mill_operator.core.verdicts.pod_subjects import evicted, node_clock_skew, pod_subjects, rejected, since_request
from mill_operator.core.verdicts.rule_input import CreationSubject, EvictionSubject, PodSubject, Subject, WriteSubject
from mill_operator.core.verdicts.settling_pods import SettlingPods, settling_pods

QUIET_PULL = timedelta(seconds=5)
"""A pod whose image is still being pulled counts as scheduled after that long without an error."""
SETTLE_WITHOUT_PROBE = timedelta(seconds=2)
"""How long a container without a port must run to count as healthy."""
SETTLE_AFTER_CRASH = timedelta(seconds=10)
"""How long a container that has crashed before must stay ready to count as healthy again."""
SERVING_IMAGES: Final = 3
"""Images of serving pods that are reported: more than two versions serve only for moments."""


class Known(TypedDict):
    """The fields of every `Subject`."""

    request: ServiceRequest
    results: LookupResults
    previous: ServiceStatus | None


@dataclass(frozen=True, slots=True)
class _Pods:
    """The pods of a service, by what they say about it."""

    all: Sequence[ObservedPod]
    ours: Sequence[ObservedPod]
    """Those of the desired template."""
    blamed: Sequence[ObservedPod]
    """Those of them with its image."""
    healthy: Sequence[ObservedPod]
    serving: Sequence[ObservedPod]
    """Those of any template to which the Service sends requests."""
    desired: int
    exist: bool
    """Whether the Deployment exists as it is desired, so that the pods are its own."""

    @property
    def are_enough(self) -> bool:
        """Whether the service is healthy."""
        return self.exist and len(self.healthy) >= self.desired

    @property
    def count_healthy(self) -> int:
        """How many of the desired pods are healthy."""
        return min(len(self.healthy), self.desired)


def judge(given: JudgeInput, now: datetime) -> Observation:
    """Observe one service: match its pods, its Deployment and its problems with the rules."""
    service, dependence = given.service, given.dependence
    renewed = pods_to_renew(service, given.pods, dependence)
    pods = _sorted_out(given, [pod for pod in given.pods if pod not in renewed] if renewed else given.pods, now)
    before = given.previous
    if before is not None and pods.count_healthy > before.replicas.healthy:
        before = None  # one more is ready, so that what we wait for is moving: timers start again
    troubled = [] if pods.are_enough else _troubled(given, pods)  # a surplus pod goes in a moment, and is no failure
    subjects = _subjects(given, pods, troubled, before, now)
    findings = with_patience(find(service.name, subjects, given.requested_at, now), dependence, now)
    if given.is_held:
        findings = [blocked(service.name, dependence, now)]
    finding = findings[0] if findings else None
    requests = lookup_requests(troubled, given.claims, request=service.request, previous=before, now=now)
    return Observation(
        service=service.name,
        image=service.request.image,
        template=service.template,
        replicas=Replicas(
            desired=pods.desired, updated=len(pods.blamed), healthy=pods.count_healthy, serving=len(pods.serving)
        ),
        nodes=tuple(dict.fromkeys(pod.node for pod in pods.ours if pod.node and _is_scheduled(pod, now))),
        state=_state(pods.ours, finding, now, enough=pods.are_enough, is_held=given.is_held),
        finding=finding,
        wake_at=_wake_at(service, pods.ours, findings, now),
        lookup_requests=frozenset(requests),
        settling=_settling(given, pods),
        settle=service.settle,
        root=finding.root if finding is not None else None,
        resumed_at=dependence.resumed_at,
        renewed=tuple(renewed),
        serving_since=serving_since(pods.serving, given.serving_since, now) if pods.serving else None,
        serving_images=_images(pods.serving),
        recreated=service.recreate and given.problem is None,
        health_check=failing_health_check(finding, now),
    )


def _has_settled(given: JudgeInput) -> bool:
    """Return whether the template has no window any more."""
    known = given.previous
    return known is not None and known.has_settled(given.service.template)


def _images(serving: Sequence[ObservedPod]) -> tuple[str, ...]:
    """Return the images of some pods, the most frequent first."""
    images = [pod.container.image for pod in serving]
    if len({*images}) < 2:
        return tuple(images[:1])
    counts = Counter(images)
    return tuple(sorted(counts, key=lambda image: (-counts[image], image))[:SERVING_IMAGES])


def _sorted_out(given: JudgeInput, pods: Sequence[ObservedPod], now: datetime) -> _Pods:
    service = given.service
    replicas = given.deployment.replicas if given.deployment else None
    ours = pods_of_template(pods, service.template)
    return _Pods(
        all=pods,
        ours=ours,
        blamed=pods_with_image(ours, service.request.image),
        healthy=[pod for pod in ours if pod.ready and ((at := _settled_at(pod, service)) is None or at <= now)],
        serving=serving_pods(pods),
        desired=next((each for each in (service.replicas, replicas) if each is not None), 1),
        exist=replicas is not None and given.problem is None,
    )


def _troubled(given: JudgeInput, pods: _Pods) -> list[ObservedPod]:
    """Return the pods that are not healthy, as they are since the request.

    In a fixed order, so that of several pods with the same trouble the same one is always reported.
    """
    in_trouble = (
        each
        for each in pods.blamed
        if each not in pods.healthy and not (each.ready and has_crashed_before(each, given.dependence))
    )
    ordered = sorted(in_trouble, key=lambda pod: (pod.created, pod.uid))
    return [since_request(pod, given.requested_at) for pod in ordered]


def _subjects(
    given: JudgeInput, pods: _Pods, troubled: Sequence[ObservedPod], before: ServiceStatus | None, now: datetime
) -> list[Subject]:
    """Return what the rules look at."""
    known: Known = {"request": given.service.request, "results": given.results, "previous": before}
    subjects: list[Subject] = [WriteSubject(problem=given.problem, **known)] if given.problem else []
    if len(pods.ours) < pods.desired and given.deployment:  # a refusal is not about these pods if all are created
        subjects.append(CreationSubject(refusal=given.deployment.refusal, **known))
    if pods.are_enough:
        return subjects
    template, requested_at = given.service.template, given.requested_at
    recent = rejected(pods.all, template, requested_at, now)
    subjects.append(EvictionSubject(pods=evicted(pods.all, template, requested_at), recent=recent, **known))
    skew, claims = node_clock_skew(troubled, given.previous, now), tuple(given.claims)
    for pod in troubled:
        subjects += pod_subjects(PodSubject(pod=pod, claims=claims, node_clock_skew=skew, **known))
    return subjects


def _settling(given: JudgeInput, pods: _Pods) -> SettlingPods:
    if not pods.exist or given.is_held or _has_settled(given):
        return SettlingPods(all_ready=False)
    return settling_pods(
        pods.blamed,
        pods.healthy,
        desired=pods.desired,
        available=given.deployment.available if given.deployment else 0,
        others_ready=sum(pod.template != given.service.template for pod in pods.serving),
        window=given.window,
    )


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
    moments += [reported_at(finding) for finding in findings]
    moments += [next_minute(finding, now) for finding in findings]
    for pod in pods:
        if pod.ready:
            moments.append(_settled_at(pod, service))
        if pod.bound_at is not None and not pod.container.image_present:
            moments.append(pod.bound_at + QUIET_PULL)
        moments += [next_lookup_at(pod, now), probes_looked_up_at(pod)]
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
