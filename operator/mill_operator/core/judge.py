"""One service's pods → what is seen of it, and what the rules find wrong.

Judged are the pods that carry the wanted template's hash, whatever a controller's status says of them: it lags.
Pods that are being deleted, or that a node pushed out, are nobody's fault and no evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mill_api.status import Replicas, ServiceStatus, State
from mill_operator.core import clock
from mill_operator.core.facts import PULL_PROBLEMS, PodFacts
from mill_operator.core.rules import SAYS_NO_CAUSE, TABLE, Asked, Match, Problem, Rule, Subject

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


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, and since when; a failure from `due` on, only a suspicion while that is None."""

    rule: Rule
    message: str
    evidence: str
    suggestion: str
    since: datetime
    due: datetime | None


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


def judge(
    wanted: Wanted,
    pods: Sequence[PodFacts],
    *,
    deployment_replicas: int | None,
    refusal: str,
    problem: Problem | None,
    previous: ServiceStatus | None,
    now: datetime,
) -> Observation:
    """Look at one service.

    `deployment_replicas` and `refusal` are what its Deployment says; `problem` is why it could not be written.
    `previous` remembers since when a rule has been seen.
    """
    ours = [pod for pod in pods if pod.template == wanted.template and not pod.terminating and not _pushed_out(pod)]
    desired = wanted.replicas if wanted.replicas is not None else deployment_replicas
    if desired is None:
        desired = 1
    healthy = [pod for pod in ours if pod.ready and ((moment := _settled_at(pod, wanted)) is None or moment <= now)]
    enough = len(healthy) >= desired and deployment_replicas is not None
    if previous is not None and min(len(healthy), desired) > previous.replicas.healthy:
        previous = None  # one more is ready, so that what we wait for is moving: clocks start anew
    subjects = [Subject(wanted.asked, problem=problem)]
    if len(ours) < desired:  # what keeps pods from being made is not about these, if all are made
        subjects.append(Subject(wanted.asked, refusal=refusal))
    if not enough:  # a bad pod more than is wanted goes in a moment, and is no failure
        subjects += [Subject(wanted.asked, pod=pod) for pod in ours if pod not in healthy]
    findings = _findings(wanted, subjects, previous, now)
    finding = findings[0] if findings else None
    return Observation(
        service=wanted.name,
        image=wanted.asked.image,
        template=wanted.template,
        replicas=Replicas(desired=desired, updated=len(ours), healthy=min(len(healthy), desired)),
        nodes=tuple(dict.fromkeys(pod.node for pod in ours if pod.node and _scheduled(pod, now))),
        state=_state(ours, finding, now, enough=enough),
        finding=finding,
        wake_at=_wake_at(wanted, ours, findings, now),
        recreated=wanted.recreate and problem is None,
    )


def _pushed_out(pod: PodFacts) -> bool:
    """Tell a pod that the node ended for reasons of its own (eviction, preemption, shutdown)."""
    return pod.phase in ("Failed", "Succeeded")


def _settled_at(pod: PodFacts, wanted: Wanted) -> datetime | None:
    """Return from when on a ready pod is believed; None: at once, whatever the node's clock says."""
    if pod.crashes and pod.ready_at is not None:
        return pod.ready_at + SETTLE_AFTER_CRASH
    if not wanted.probed and pod.running_since is not None:
        return pod.running_since + SETTLE_WITHOUT_PROBE
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
    if finding is not None and (finding.due is None or finding.rule.id != "unready"):
        return State.SUSPECT  # an unready container is no suspicion: that is what starting looks like
    if any(pod.image_present for pod in pods):
        return State.STARTING
    return State.PULLING if any(pod.node for pod in pods) else State.PENDING


def _findings(
    wanted: Wanted, subjects: Sequence[Subject], previous: ServiceStatus | None, now: datetime
) -> list[Finding]:
    """Return what is wrong, the gravest first: one whose time is up before one that waits, then the table's order."""
    findings = []
    for subject in subjects:
        for rank, rule in enumerate(TABLE):
            if (match := rule.sees(subject)) is not None:
                finding = _finding(wanted, subject, rule, match, previous, now)
                up = finding.due is not None and finding.due <= now
                findings.append((not up, rank, finding.since, finding))
                if not match.open_ended:  # what is no more than a suspicion hides nothing
                    break
    return [each[3] for each in sorted(findings, key=lambda each: each[:3])]


def _finding(
    wanted: Wanted, subject: Subject, rule: Rule, match: Match, previous: ServiceStatus | None, now: datetime
) -> Finding:
    if (known := _known_before(subject, previous)) is not None:
        return known
    since = match.since or now
    if match.since is None and previous is not None and previous.rule == rule.id and previous.since:
        since = min(since, clock.parse(previous.since))
    grace = match.grace if match.grace is not None else rule.grace
    pod = subject.pod
    values = {
        "service": wanted.name,
        "memory": wanted.asked.memory,
        "node": (pod.node if pod else None) or "?",
        "waiting": _short(pod.waiting_message or pod.waiting_reason) if pod else "",
        **match.values,
    }
    return Finding(
        rule=rule,
        message=rule.message.format_map(values),
        evidence=match.evidence,
        suggestion=rule.suggestion.format_map(values),
        since=since,
        due=None if match.open_ended else since + grace,
    )


def _known_before(subject: Subject, previous: ServiceStatus | None) -> Finding | None:
    """Return what was found of an image that cannot be pulled, if its node only says that it tries again."""
    pod = subject.pod
    if pod is None or pod.waiting_reason not in PULL_PROBLEMS or not SAYS_NO_CAUSE.search(pod.waiting_message):
        return None
    if previous is None or previous.rule is None or not previous.rule.startswith("image-") or not previous.since:
        return None
    rule = next((each for each in TABLE if each.id == previous.rule), None)
    if rule is None:
        return None
    since = clock.parse(previous.since)
    return Finding(
        rule=rule,
        message=previous.message or "",
        evidence=previous.evidence or "",
        suggestion=previous.suggestion or "",
        since=since,
        due=since + rule.grace,
    )


def _short(message: str) -> str:
    """Take the cause out of a kubelet's message, which wraps it in what everybody knows already."""
    return message.rsplit("desc = ", 1)[-1].strip()[:300]


def _wake_at(wanted: Wanted, pods: Sequence[PodFacts], findings: Sequence[Finding], now: datetime) -> datetime | None:
    moments = [finding.due for finding in findings]
    for pod in pods:
        if pod.ready:
            moments.append(_settled_at(pod, wanted))
        if pod.bound_at is not None and not pod.image_present:
            moments.append(pod.bound_at + QUIET_PULL)
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
