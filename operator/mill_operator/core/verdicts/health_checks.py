"""What the health checks of a service report while it starts: no suspicion, and worth to be known before the verdict.

A program that does not listen yet is a normal start for half of its time. That one listens, and answers with an error
or not at all, is reported at once.
"""

from datetime import datetime

from mill_operator.core.verdicts.container_predicates import NO_PROBE
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.probe_messages import in_few_words
from mill_operator.core.verdicts.rules.readiness import UNREADY, UNREADY_PORT


def failing_health_check(finding: Finding | None, now: datetime) -> str | None:
    """Return what the health checks report, in few words; None while nothing is known or it is normal."""
    if finding is None or finding.rule.id not in (UNREADY, UNREADY_PORT) or finding.evidence == NO_PROBE:
        return None
    if (at := reported_at(finding)) is not None and now < at:
        return None
    return in_few_words(finding.evidence)


def reported_at(finding: Finding) -> datetime | None:
    """Return from when on a program that does not listen yet is worth a report; None if that is no question."""
    if finding.rule.id != UNREADY_PORT or finding.due is None:
        return None
    return finding.since + (finding.due - finding.since) / 2
