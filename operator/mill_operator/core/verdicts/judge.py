"""One service's pods → what is seen of it, and what the rules find wrong.

Judged are the pods that carry the wanted template's hash, whatever a controller's status says of them: it lags.
Pods that are being deleted, or that a node pushed out, are nobody's fault and no evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mill_api.status import Replicas, ServiceStatus, State
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.observed.containers import PULL_PROBLEMS
from mill_operator.core.observed.lookup_results import NOTHING_KNOWN, Answers
from mill_operator.core.observed.pods import ChildFacts, PodFacts, as_wanted, of_template
from mill_operator.core.verdicts.findings import Finding, find
from mill_operator.core.verdicts.lookup_requests import Question, ask_at, questions
from mill_operator.core.verdicts.normalize import clock_shift, evicted, since_asked, views
from mill_operator.core.verdicts.rule_input import Asked, Problem, Subject
from mill_operator.core.verdicts.rules import STARTING

QUIET_PULL = timedelta(seconds=5)
"""A pod whose image is still on its way counts as scheduled after that long without a pull error."""
SETTLE_WITHOUT_PROBE = timedelta(seconds=2)
"""How long a container without a port must run to count as healthy."""
SETTLE_AFTER_CRASH = timedelta(seconds=10)
"""How long a container that has crashed before must stay ready to be believed again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service as its template wants it."""

    name: str
    template: str
    replicas: int | None
    """None: whatever the Deployment says, which is an autoscaler's business."""
    probed: bool
    asked: Asked
    recreate: bool = False
    """Whether its old pods must end before new ones begin."""
    internal_error: InternalError | None = None
    """Why it could not be rendered: what there is of it stays as it is. Its template is not known then."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A service as it is right now."""

    service: str
    image: str
    template: str
    replicas: Replicas
    nodes: tuple[str, ...]
    """Nodes on which its pods count as scheduled."""
    state: State
    finding: Finding | None
    wake_at: datetime | None
    """When to look again though nothing happens."""
    recreated: bool = False
    """Whether the pods of the version before had to end for these."""
    questions: frozenset[Question] = frozenset()
    """What would help to judge it better."""
    internal_error: InternalError | None = None
    """Why it could not be judged, or not even rendered."""


def judge(
    wanted: Wanted,
    pods: Sequence[PodFacts],
    *,
    deployment_replicas: int | None,
    refusal: str,
    problem: Problem | None,
    previous: ServiceStatus | None,
    now: datetime,
    claims: Sequence[ChildFacts] = (),
    answers: Answers = NOTHING_KNOWN,
    asked_at: datetime | None = None,
) -> Observation:
    """Look at one service.

    `deployment_replicas` and `refusal` are what its Deployment says; `problem` is why it could not be written; `claims`
    are those of its volumes. `previous` remembers since when a rule has been seen. `answers` is what was looked up.
    Evidence that is older than `asked_at` does not count.
    """
    ours = of_template(pods, wanted.template)
    blamed = as_wanted(ours, wanted.asked.image)
    desired = wanted.replicas if wanted.replicas is not None else deployment_replicas
    if desired is None:
        desired = 1
    healthy = [pod for pod in ours if pod.ready and ((moment := _settled_at(pod, wanted)) is None or moment <= now)]
    enough = len(healthy) >= desired and deployment_replicas is not None and problem is None
    before = previous
    if previous is not None and min(len(healthy), desired) > previous.replicas.healthy:
        before = None  # one more is ready, so that what we wait for is moving: clocks start anew
    nothing = Subject(wanted.asked, claims=tuple(claims), answers=answers, before=before)
    subjects = [replace(nothing, problem=problem)]
    if len(ours) < desired:  # what keeps pods from being made is not about these, if all are made
        subjects.append(replace(nothing, refusal=refusal))
    troubled: list[PodFacts] = []
    if not enough:  # a bad pod more than is wanted goes in a moment, and is no failure
        # In an order of their own, so that of several that say the same it is always the same one that is told of.
        in_trouble = sorted((pod for pod in blamed if pod not in healthy), key=lambda pod: (pod.created, pod.uid))
        troubled = [since_asked(pod, asked_at) for pod in in_trouble]
        subjects.append(replace(nothing, evicted=evicted(pods, wanted.template, asked_at)))
        shift = clock_shift(troubled, previous, now)
        for pod in troubled:
            subjects += views(replace(nothing, pod=pod, clock_shift=shift))
    findings = find(wanted.name, subjects, asked_at, now)
    finding = findings[0] if findings else None
    return Observation(
        service=wanted.name,
        image=wanted.asked.image,
        template=wanted.template,
        replicas=Replicas(desired=desired, updated=len(blamed), healthy=min(len(healthy), desired)),
        nodes=tuple(dict.fromkeys(pod.node for pod in ours if pod.node and _scheduled(pod, now))),
        state=_state(ours, finding, now, enough=enough),
        finding=finding,
        wake_at=_wake_at(wanted, ours, findings, now),
        questions=frozenset(questions(troubled, claims, image=wanted.asked.image, previous=before, now=now)),
        recreated=wanted.recreate and problem is None,
    )


def _settled_at(pod: PodFacts, wanted: Wanted) -> datetime | None:
    """Return from when on a ready pod is believed; None: at once, whatever the node's clock says."""
    if pod.crashes and pod.ready_at is not None:
        return (pod.told_at or pod.ready_at) + SETTLE_AFTER_CRASH
    if not wanted.probed and pod.running_since is not None:
        return (pod.told_at or pod.running_since) + SETTLE_WITHOUT_PROBE
    return None


def _scheduled(pod: PodFacts, now: datetime) -> bool:
    if pod.image_present:
        return True
    return pod.waiting_reason not in PULL_PROBLEMS and pod.bound_at is not None and now >= pod.bound_at + QUIET_PULL


def _state(pods: Sequence[PodFacts], finding: Finding | None, now: datetime, *, enough: bool) -> State:
    if finding is not None and finding.due is not None and finding.due <= now:
        return State.FAILED
    if enough:
        return State.HEALTHY
    if finding is not None and (finding.due is None or finding.rule.id not in STARTING):
        return State.SUSPECT
    if any(pod.image_present for pod in pods):
        return State.STARTING
    return State.PULLING if any(pod.node for pod in pods) else State.PENDING


def _wake_at(wanted: Wanted, pods: Sequence[PodFacts], findings: Sequence[Finding], now: datetime) -> datetime | None:
    moments = [finding.due for finding in findings]
    for pod in pods:
        if pod.ready:
            moments.append(_settled_at(pod, wanted))
        if pod.bound_at is not None and not pod.image_present:
            moments.append(pod.bound_at + QUIET_PULL)
        moments.append(ask_at(pod, now))
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
