"""The section of docs/verdicts.md about how soon a cause is named."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from mill_operator.core.verdicts.rule import AT_ONCE, Speed
from mill_operator.core.verdicts.rules import BY_ID
from tests.bench.causes.cause import Cause
from tests.bench.causes.observing import Measured
from tests.bench.figures import percentile
from tests.soak.page import NOTHING, Section, of

HEADING: Final = "How soon a cause is named"
NO_ROWS: Final[Mapping[str, list[str]]] = {}


def section(
    causes: Sequence[Cause], found: Sequence[Measured], measured: str, before: Mapping[str, list[str]] = NO_ROWS
) -> Section:
    """Return the times of each cause. Causes that were not measured keep the rows that they had before."""
    measured_causes = {each.cause.name for each in found}
    rows = [
        _row(each, [one for one in found if one.cause.name == each.name])
        if each.name in measured_causes
        else before.get(each.title, _row(each, []))
        for each in causes
    ]
    return Section(
        HEADING,
        "Each cause is deployed again and again at random moments, all causes at once, and is measured from outside by "
        "watches of the API server. *From apply* is the time from the request that creates the MillDeployment (or "
        "starts the run of a task) to the verdict in its status. *From evidence* is the time from the first object "
        "that shows the cause: a pod's or Deployment's status, a Job, or an Event. *Patience* is the time that "
        "docs/failure-codes.md gives the cause, from its first sighting (a denied pull has 60 s on a node that became "
        "ready less than five minutes ago); what can be a flake needs a second sighting, "
        "and the kubelet waits ten seconds before it restarts a container. Seconds; of ten values the 99th percentile "
        "is the largest.",
        (
            "cause",
            "code",
            "right",
            "patience",
            "from apply: p50",
            "p99",
            "from evidence: p50",
            "p99",
        ),
        rows,
        measured,
    )


def _row(cause: Cause, found: Sequence[Measured]) -> list[str]:
    judged = [each for each in found if each.judged is not None]
    from_apply = [each.judged - each.applied for each in judged if each.judged is not None]
    from_evidence = [each.judged - each.shown for each in judged if each.judged is not None and each.shown is not None]
    codes = Counter(each.code for each in judged)
    return [
        cause.title,
        ", ".join(f"`{code}`" for code, _ in codes.most_common()) or NOTHING,
        of(codes[cause.code], len(found)),
        _patience(judged),
        *_spread(from_apply),
        *_spread(from_evidence),
    ]


def _spread(seconds: Sequence[float]) -> tuple[str, str]:
    if not seconds:
        return NOTHING, NOTHING
    return f"{percentile(seconds, 0.5):.1f}", f"{percentile(seconds, 0.99):.1f}"


def _patience(judged: Sequence[Measured]) -> str:
    """Return the time that the rules of these verdicts give the cause."""
    rules = [BY_ID[name] for name in sorted({each.rule for each in judged}) if name in BY_ID]
    graces = {rule.grace: rule.speed for rule in rules}
    if len(graces) != 1:
        return NOTHING
    ((grace, speed),) = graces.items()
    if grace == AT_ONCE:
        return "none" if speed is Speed.PERMANENT else "second sighting"
    return f"{grace.total_seconds():.0f} s"
