"""Findings: matches of the table in the subjects of one service, with texts and times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from string import Formatter
from typing import Final

from mill_api.service_status import ServiceStatus, State
from mill_objects.printable import multi_line, one_line
from mill_operator.core import limits, timestamps
from mill_operator.core.observed.messages import cause
from mill_operator.core.verdicts import pulls
from mill_operator.core.verdicts.rule import Reason, Rule, Speed
from mill_operator.core.verdicts.rule_input import Match, PodSubject, Subject
from mill_operator.core.verdicts.rules import BY_ID, TABLE
from mill_operator.core.verdicts.rules.readiness import SLOW_PULL

MINUTE: Final = timedelta(minutes=1)
LASTED: Final = timedelta(seconds=10)
"""How long a cause lasts before it counts, after one that has more time: as long as a kubelet takes to try again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, and since when; a failure from `due` on, only a suspicion while that is None."""

    rule: Reason
    message: str
    evidence: str
    suggestion: str
    since: datetime
    due: datetime | None
    waits: bool = False
    """Whether it lasts for as long as another service takes, which has a time limit of its own."""
    is_own_fault: bool = False
    """Whether it is the fault of the version: of its own container, and of no other service."""
    root: str | None = None
    """The failed service that it follows from."""
    detail: str = ""
    """What matters beside the message."""

    @property
    def has_own_time(self) -> bool:
        """Whether a time limit is running already, so that no other one has to."""
        return self.waits or self.due is not None

    def is_suspicion(self, now: datetime) -> bool:
        """Whether it is more than a normal step of a start."""
        return self.due is None or not self.is_expected(now)

    def is_expected(self, now: datetime) -> bool:
        """Whether it has not lasted for longer than it normally does."""
        return self.rule.expected_for is not None and now - self.since < self.rule.expected_for

    def is_due(self, now: datetime) -> bool:
        """Whether it is a failure by now."""
        return self.due is not None and self.due <= now


def next_minute(finding: Finding, now: datetime) -> datetime | None:
    """Return when the message of a slow pull is reported or changes next; None of any other finding."""
    if finding.rule is not SLOW_PULL:
        return None
    expected = finding.rule.expected_for or MINUTE
    return finding.since + max(expected, ((now - finding.since) // MINUTE + 1) * MINUTE)


def find(
    service: str,
    subjects: Sequence[Subject],
    requested_at: datetime | None,
    now: datetime,
    table: Sequence[Rule] = TABLE,
) -> list[Finding]:
    """Return the findings, most severe first: those that are due before those that wait, then in the table's order."""
    ranked: list[tuple[int, Finding]] = []
    for subject in subjects:
        for rank, rule in enumerate(table):
            if (match := rule.match(subject)) is not None:
                finding = _known_before(subject) or _finding(service, subject, rule, match, requested_at, now)
                ranked.append((rank, finding))
                if not match.open_ended:  # a suspicion hides no other finding
                    break
    ranked.sort(key=lambda each: (not each[1].is_due(now), each[0], each[1].since))
    return [finding for _, finding in ranked]


def _finding(
    service: str, subject: Subject, rule: Rule, match: Match, requested_at: datetime | None, now: datetime
) -> Finding:
    before = subject.previous
    since = match.since or now
    if match.since is not None and requested_at is not None:
        since = max(since, requested_at)
    elif match.since is None and before is not None and before.since and _timer(before.rule) == _timer(rule.id):
        since = min(since, timestamps.parse(before.since))
    values = {"minutes": str((now - since) // MINUTE), **text_values(service, subject, match)}
    message = rule.message.format_map(values)
    container = subject.container if isinstance(subject, PodSubject) else ""
    return Finding(
        rule=rule,
        message=one_line(f"container {container}: {message}" if container else message, limits.TEXT_BYTES),
        evidence=multi_line(match.evidence, limits.TEXT_BYTES),
        suggestion=rule.suggestion.format_map(values),
        since=since,
        due=_not_at_once(_due(rule, match, since, before), rule, since, before, now),
        is_own_fault=rule.is_own_fault and not container,
        waits=match.waits,
        detail=_detail(rule.detail, values),
    )


def _due(rule: Reason, match: Match, since: datetime, before: ServiceStatus | None) -> datetime | None:
    if before is not None and before.state is State.FAILED and _timer(before.rule) == _timer(rule.id):
        return since  # a verdict stands as long as its evidence does, though not all of it may be there any more
    if match.open_ended or rule.speed is Speed.NO_EVIDENCE:
        return None
    return since + (match.grace if match.grace is not None else rule.grace)


def _not_at_once(
    due: datetime | None, rule: Reason, since: datetime, before: ServiceStatus | None, now: datetime
) -> datetime | None:
    """Return when a finding is due whose timer ran for a cause of the same group that has more time.

    What is reported between two time-outs is mostly one more of their consequences. It counts once it has lasted, and
    in any case when the other cause would be due.
    """
    known = BY_ID.get(before.rule or "") if before is not None else None
    if due is None or due > now or before is None or known is None or before.state is State.FAILED:
        return due
    if known.id == rule.id:
        promised = timestamps.parse(before.due_at) if before.due_at else due
        return max(due, promised) if promised <= now + LASTED else due
    if _timer(known.id) != _timer(rule.id) or known.grace <= rule.grace:
        return due
    return max(due, min(now + LASTED, since + known.grace))


def _detail(template: str, values: Mapping[str, str]) -> str:
    """Return a rule's detail; empty if a value that it names is not known."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    return one_line(template.format_map(values), limits.DETAIL_BYTES) if all(map(values.get, names)) else ""


def text_values(name: str, subject: Subject, match: Match) -> dict[str, str]:
    """Return what a rule's texts may name."""
    pod = subject.pod if isinstance(subject, PodSubject) else None
    injected = subject.pod.container.image if isinstance(subject, PodSubject) and subject.container else ""
    node = (pod.node if pod else None) or "?"
    known = subject.results.nodes.get(node)
    return {
        "service": name,
        "image": injected or subject.request.image,
        "memory": subject.request.memory or "none",
        "node": node,
        "platform": known.platform if known and known.platform else f"the platform of node {node}",
        "waiting": cause(pod.container.waiting_message or pod.container.waiting_reason) if pod else "",
        **match.values,
    }


def _timer(rule_id: str | None) -> str | None:
    """Return the timer that a rule shares with others of its group, or its own."""
    rule = BY_ID.get(rule_id or "")
    return (rule.timer_group or rule.id) if rule else rule_id


def _known_before(subject: Subject) -> Finding | None:
    """Return the earlier finding about an image that cannot be pulled, if its node reports only that it retries."""
    before = subject.previous
    if not isinstance(subject, PodSubject) or subject.container or before is None or before.since is None:
        return None
    if not pulls.names_no_cause(subject.pod.container) or not pulls.is_known_cause(before, subject.request.image):
        return None
    if (rule := BY_ID.get(before.rule or "")) is None:
        return None
    since = timestamps.parse(before.since)
    return Finding(
        rule=rule,
        message=before.message or "",
        evidence=before.evidence or "",
        suggestion=before.suggestion or "",
        since=since,
        due=_due(rule, Match(before.evidence or ""), since, before),
        is_own_fault=rule.is_own_fault,
        detail=before.detail or "",
    )
