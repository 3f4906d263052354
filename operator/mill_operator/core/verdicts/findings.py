"""What the table finds in the subjects of one service, with texts and times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mill_api.status import ServiceStatus, State
from mill_objects.printable import multi_line, one_line
from mill_operator.core import timestamps
from mill_operator.core.observed.containers import PULL_PROBLEMS
from mill_operator.core.observed.messages import LIMIT, cause
from mill_operator.core.verdicts.container_predicates import SAYS_NO_CAUSE, cause_known
from mill_operator.core.verdicts.rule_input import Match, Subject
from mill_operator.core.verdicts.rules import TABLE, Rule, Speed


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, and since when; a failure from `due` on, only a suspicion while that is None."""

    rule: Rule
    message: str
    evidence: str
    suggestion: str
    since: datetime
    due: datetime | None


def find(
    service: str, subjects: Sequence[Subject], asked_at: datetime | None, now: datetime, table: Sequence[Rule] = TABLE
) -> list[Finding]:
    """Return what is wrong, the gravest first: one whose time is up before one that waits, then the table's order."""
    findings = []
    for subject in subjects:
        for rank, rule in enumerate(table):
            if (match := rule.sees(subject)) is not None:
                finding = _known_before(subject) or _finding(service, subject, rule, match, asked_at, now)
                up = finding.due is not None and finding.due <= now
                findings.append((not up, rank, finding.since, finding))
                if not match.open_ended:  # what is no more than the suspicion of a rule hides nothing
                    break
    return [each[3] for each in sorted(findings, key=lambda each: each[:3])]


def _finding(
    service: str, subject: Subject, rule: Rule, match: Match, asked_at: datetime | None, now: datetime
) -> Finding:
    before = subject.before
    since = match.since or now
    if match.since is not None and asked_at is not None:
        since = max(since, asked_at)
    elif match.since is None and before is not None and before.since and _clock(before.rule) == _clock(rule.id):
        since = min(since, timestamps.parse(before.since))
    values = text_values(service, subject, match)
    message = rule.message.format_map(values)
    return Finding(
        rule=rule,
        message=one_line(f"container {subject.container}: {message}" if subject.container else message, LIMIT),
        evidence=multi_line(match.evidence, LIMIT),
        suggestion=rule.suggestion.format_map(values),
        since=since,
        due=_due(rule, match, since, before),
    )


def _due(rule: Rule, match: Match, since: datetime, before: ServiceStatus | None) -> datetime | None:
    if before is not None and before.state is State.FAILED and before.rule == rule.id:
        return since  # a verdict stands as long as its evidence does, though not all of it may be there any more
    if match.open_ended or rule.speed is Speed.NO_EVIDENCE:
        return None
    return since + (match.grace if match.grace is not None else rule.grace)


def text_values(name: str, subject: Subject, match: Match) -> dict[str, str]:
    """Return what a rule's texts may name."""
    pod = subject.pod
    node = (pod.node if pod else None) or "?"
    known = subject.answers.nodes.get(node)
    return {
        "service": name,
        "memory": subject.asked.memory,
        "node": node,
        "platform": known.platform if known and known.platform else f"the platform of node {node}",
        "waiting": cause(pod.waiting_message or pod.waiting_reason) if pod else "",
        **match.values,
    }


def _clock(rule_id: str | None) -> str | None:
    """Return the name of the clock by which a rule counts."""
    rule = next((each for each in TABLE if each.id == rule_id), None)
    return (rule.clock or rule.id) if rule else rule_id


def _known_before(subject: Subject) -> Finding | None:
    """Return what was found of an image that cannot be pulled, if its node only says that it tries again."""
    pod, before = subject.pod, subject.before
    if pod is None or pod.waiting_reason not in PULL_PROBLEMS or not SAYS_NO_CAUSE.search(pod.waiting_message):
        return None
    if subject.container or before is None or before.since is None or not cause_known(before, subject.asked.image):
        return None
    rule = next((each for each in TABLE if each.id == before.rule), None)
    if rule is None:
        return None
    since = timestamps.parse(before.since)
    return Finding(
        rule=rule,
        message=before.message or "",
        evidence=before.evidence or "",
        suggestion=before.suggestion or "",
        since=since,
        due=_due(rule, Match(before.evidence or ""), since, before),
    )
