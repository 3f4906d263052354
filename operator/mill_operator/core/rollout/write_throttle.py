"""Delays of status writes: verdicts at once, progress soon, counts at most once a second."""

from enum import StrEnum

from mill_operator.core.rollout.status_change import StatusChange


class Urgency(StrEnum):
    """Urgency of a status write."""

    NONE = "none"
    COUNTS = "counts"
    PROGRESS = "progress"
    VERDICT = "verdict"


def urgency(change: StatusChange) -> Urgency:
    """Return how soon a change should be written."""
    if change.is_empty:
        return Urgency.NONE
    before, after = change.before, change.after
    if before.rollout != after.rollout or before.observed_generation != after.observed_generation:
        return Urgency.VERDICT
    if before.rollout_tasks != after.rollout_tasks:  # what services begin by
        return Urgency.VERDICT
    if change.run_verdicts or change.service_verdicts_changed or change.paused or change.resumed:
        return Urgency.VERDICT
    return Urgency.PROGRESS if change.has_progress else Urgency.COUNTS


def pause_seconds(kind: Urgency, write_seconds: float) -> float:
    """Return how many seconds must lie between the last write and this one.

    The pause grows with what a write costs: a status of 200 services takes the API server 70 ms.
    """
    if kind is Urgency.VERDICT:
        return 0.0
    return 1.0 if kind is Urgency.COUNTS else max(0.1, 5 * write_seconds)
