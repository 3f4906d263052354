"""Observations of services and runs that cannot be rendered or judged because of an internal error.

It is the fault's alone: what else the status knows of it stays, and nothing of it is written, renewed or deleted.
"""

from datetime import datetime, timedelta
from typing import Final

from mill_api.service_status import Replicas, ServiceStatus, State
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects.service import DesiredService
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.observation import Observation
from mill_operator.core.verdicts.rules.writes import INTERNAL
from mill_operator.core.verdicts.settling_pods import SettlingPods

AGAIN_SUSPECT: Final = timedelta(seconds=5)
AGAIN_FAILED: Final = timedelta(seconds=30)
"""After this time the rendering or judgment is tried again, though nothing happens."""


def unjudged(
    wanted: DesiredService, internal_error: InternalError, previous: ServiceStatus | None, now: datetime
) -> Observation:
    """Return the observation of a service that cannot be judged: a suspicion at first, a failure if it repeats."""
    finding = internal_error_finding(wanted.name, internal_error, _before(previous), now)
    failed = finding.due is not None and finding.due <= now
    again = now + (AGAIN_FAILED if failed else AGAIN_SUSPECT)
    return Observation(
        service=wanted.name,
        image=wanted.request.image,
        template=wanted.template,
        replicas=previous.replicas if previous is not None else Replicas(desired=wanted.replicas or 0),
        nodes=(),
        state=State.FAILED if failed else State.SUSPECT,
        finding=finding,
        wake_at=again if failed or finding.due is None else min(again, finding.due),
        settling=SettlingPods(all_ready=False),
        internal_error=internal_error,
    )


def internal_error_finding(
    name: str, internal_error: InternalError, before: tuple[str, str] | None, now: datetime
) -> Finding:
    """Return what is said of a fault. `before` is what was said of it last, and since when: that stands while it lasts.

    Otherwise an error with a changing place would be written in every reconciliation.
    """
    since = min(timestamps.parse(before[1]), now) if before else now
    return Finding(
        rule=INTERNAL,
        message=before[0] if before else INTERNAL.message.format(cause=internal_error),
        evidence="",
        suggestion=INTERNAL.suggestion.format(service=name),
        since=since,
        due=since + INTERNAL.grace,
    )


def _before(previous: ServiceStatus | None) -> tuple[str, str] | None:
    if previous is None or previous.rule != INTERNAL.id or not previous.message or not previous.since:
        return None
    return previous.message, previous.since
