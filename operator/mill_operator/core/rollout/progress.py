"""The time without progress: since when it runs, when it stops, and what it ends.

It does not run while another time limit does. A service that has made no progress for so long fails, and so does a
removed one that is still there.
"""

from datetime import datetime, timedelta
from typing import Final

from mill_api.service_status import ServiceStatus, Transition
from mill_operator.core import timestamps
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.rules.placement import SCHEDULING_GATE
from mill_operator.core.verdicts.rules.progress import NOT_STOPPED, TIMEOUT

LONGEST_PAUSE: Final = timedelta(hours=1)
"""After so long in one rollout, causes that come and go no longer stop the time without progress."""

LONGEST_LIMITS: Final = timedelta(hours=2)
"""After so long without progress, a service fails though other time limits have followed each other all the time."""


def paused(
    before: ServiceStatus, finding: Finding | None, rollout_started_at: datetime | None, now: datetime
) -> ServiceStatus:
    """Return a service whose time without progress did not run while a time limit of its own, or a gate, did.

    `rollout_started_at` is None after the rollout has finished.
    """
    if finding is not None and finding.has_own_time:
        return before
    if before.rule == SCHEDULING_GATE:
        return before.model_copy(update={"moved_at": timestamps.render(now)})
    if before.due_at is None:
        return before
    if rollout_started_at is not None and now >= rollout_started_at + LONGEST_PAUSE:
        return before
    moment = max(moved_at(before, now), min(now, timestamps.parse(before.due_at)))
    return before.model_copy(update={"moved_at": timestamps.render(moment)})


def resumed(before: ServiceStatus, at: datetime | None, now: datetime) -> ServiceStatus:
    """Return a service whose time without progress began, at the latest, when it had to wait for no other one."""
    if at is None or before.state.is_verdict or not moved_at(before, now) < at <= now:
        return before
    return before.model_copy(update={"moved_at": timestamps.render(at)})


def moved_at(service: ServiceStatus, now: datetime) -> datetime:
    """Return when a service made progress last, but not later than now: the clock may have been ahead."""
    return min(timestamps.parse(service.moved_at), now) if service.moved_at else now


def is_overdue(before: ServiceStatus, finding: Finding | None, now: datetime) -> bool:
    """Return whether a service that has no verdict has made no progress for too long."""
    if finding is not None and finding.waits:
        return False
    if now < overdue_at(before, now):
        return False
    return finding is None or not finding.has_own_time or now >= moved_at(before, now) + LONGEST_LIMITS


def never_settles(healthy: Transition | None, now: datetime) -> bool:
    """Return whether a service's readiness has come and gone for too long. `healthy` is what `healthy_step` returns."""
    return healthy is not None and now >= timestamps.parse(healthy.at) + LONGEST_PAUSE


def overdue_at(service: ServiceStatus, now: datetime) -> datetime:
    """Return when a service has made no progress for too long."""
    return moved_at(service, now) + TIMEOUT.grace


def stopped_by(service: ServiceStatus, stop_time: timedelta, now: datetime) -> datetime:
    """Return when a removed service is overdue. `stop_time` is the longest time that its pods may take to end."""
    return moved_at(service, now) + stop_time + NOT_STOPPED.grace
