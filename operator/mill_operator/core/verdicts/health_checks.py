"""What the health checks of a service report while it starts: no suspicion, and worth to be known before the verdict.

A program that does not listen yet is a normal start for half of its time. That one listens, and answers with an error
or not at all, is reported at once.
"""

from datetime import datetime
from typing import Final

from mill_operator.core.observed.messages import cause
from mill_operator.core.patterns import pattern
from mill_operator.core.verdicts.container_predicates import NO_PROBE, REFUSED_PORT
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.rules.readiness import UNREADY, UNREADY_PORT

_PROBE: Final = pattern(r"(?i)^\w+ probe (?:failed|errored)(?: and resulted in \w+ state)?: ")
_HTTP_STATUS: Final = pattern(r"HTTP probe failed with statuscode: (?P<status>\d{3})")
_TIMED_OUT: Final = pattern(r"(?i)deadline exceeded|timed? ?out|timeout")


def failing_health_check(finding: Finding | None, now: datetime) -> str | None:
    """Return what the health checks report, in few words; None while nothing is known or it is normal."""
    if finding is None or finding.rule.id not in (UNREADY, UNREADY_PORT) or finding.evidence == NO_PROBE:
        return None
    if (at := reported_at(finding)) is not None and now < at:
        return None
    return _in_few_words(finding.evidence)


def reported_at(finding: Finding) -> datetime | None:
    """Return from when on a program that does not listen yet is worth a report; None if that is no question."""
    if finding.rule.id != UNREADY_PORT or finding.due is None:
        return None
    return finding.since + (finding.due - finding.since) / 2


def _in_few_words(message: str) -> str:
    """Return `HTTP 503`, `nothing listens on port 8080`, `no answer in time`, or the cause that the kubelet names."""
    if status := _HTTP_STATUS.search(message):
        return f"HTTP {status['status']}"
    if refused := REFUSED_PORT.search(message):
        return f"nothing listens on port {refused['port']}"
    probe = _PROBE.search(message)
    text = cause(message[probe.end() :] if probe else message)
    return "no answer in time" if _TIMED_OUT.search(text) else text
