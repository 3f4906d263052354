"""The status that reports reconciliations that repeatedly fail by an internal error.

A single failure may come of a moment between two writes of other clients: it is retried and not reported. A repeated
failure is reported, since few users read logs: the resource is Stalled, and a rollout without verdicts ends after a
while, so that its followers are not left waiting. The next successful reconciliation corrects the conditions; the end
of that rollout is final.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from mill_api.rollouts import Rollout
from mill_api.status import INTERNAL_ERROR, MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.rollout.conditions import internal_error_conditions
from mill_operator.core.rollout.event_messages import EventMessage
from mill_operator.core.rollout.start import history
from mill_operator.core.rollout.status_change import StatusChange

REPORTED_FAILURES: Final = 3
REPORTED_AFTER: Final = timedelta(seconds=30)
"""A failure is reported after this many in a row, or when two in a row are this far apart."""
ROLLOUT_ENDS_AFTER: Final = timedelta(minutes=10)
"""After this time a rollout without verdicts ends."""
REPORT: Final = (
    "The fault is in mill, not in the spec. Running pods keep running, and the operator keeps retrying."
    " Report this error, as mill's CONTRIBUTING.md describes, with the lines of the operator's log that have this id."
)


@dataclass(frozen=True, slots=True)
class FailureStreak:
    """Failed reconciliations of one MillDeployment in a row."""

    rollout: str
    """The rollout of the last failure."""
    since: datetime
    """When the first one failed."""
    rollout_since: datetime
    """When the first one of this rollout failed."""
    count: int = 1

    def with_failure(self, rollout: str, now: datetime) -> "FailureStreak":
        """Return the streak with one more failure, at this moment."""
        rollout_since = self.rollout_since if rollout == self.rollout else now
        return replace(self, rollout=rollout, rollout_since=rollout_since, count=self.count + 1)

    def is_reported(self, now: datetime) -> bool:
        """Return whether the failure has repeated often enough to be reported."""
        return self.count >= REPORTED_FAILURES or now - self.since >= REPORTED_AFTER

    def ends_rollout(self, now: datetime) -> bool:
        """Return whether the rollout has waited long enough for verdicts."""
        return now - self.rollout_since >= ROLLOUT_ENDS_AFTER


def first_failure(rollout: str, now: datetime) -> FailureStreak:
    """Return a streak with one failure, at this moment."""
    return FailureStreak(rollout, since=now, rollout_since=now)


def internal_error_status(
    status: MillDeploymentStatus,
    internal_error: InternalError,
    *,
    generation: int,
    rollout_id: str,
    end: bool,
    now: datetime,
) -> MillDeploymentStatus:
    """Return the status that reports an internal error; `end` ends the rollout, unless it has ended already.

    Everything else in the status stays unchanged, even if it is about an earlier generation.
    """
    text = f"internal error of mill ({internal_error})"
    if end:
        status = _with_end(status, text, rollout_id, now)
    conditions = internal_error_conditions(f"{text}. {REPORT}", status.conditions, generation, now)
    return status.model_copy(update={"observed_generation": generation, "conditions": conditions})


def _with_end(status: MillDeploymentStatus, error: str, rollout_id: str, now: datetime) -> MillDeploymentStatus:
    """Return the status with the end of its rollout, or with a rollout of that id that ended without a start."""
    rollout, at = status.rollout, timestamps.render(now)
    if rollout is not None and rollout.id == rollout_id:
        if rollout.finished_at is not None:
            return status
        ended = rollout.model_copy(update={"finished_at": at, "success": False, "error": error})
        return status.model_copy(update={"rollout": ended})
    never_started = Rollout(id=rollout_id, started_at=at, finished_at=at, success=False, error=error)
    return status.model_copy(
        update={
            "rollout": never_started,
            "services": [each.model_copy(update={"transitions": [], "settlement": None}) for each in status.services],
            "history": history(status, rollout_id, now),
        }
    )


def internal_error_messages(change: StatusChange, rollout_id: str, internal_error: InternalError) -> list[EventMessage]:
    """Return the messages of a status that `internal_error_status` has made."""
    about, messages = {"rollout": rollout_id}, []
    ready = {each.reason for each in change.before.conditions if each.type == "Ready"}
    if INTERNAL_ERROR not in ready:
        text = f"internal error of mill ({internal_error}). {REPORT}"
        messages.append(EventMessage(INTERNAL_ERROR, text, about, warning=True, action="Reconcile", count=None))
    rollout = change.after.rollout
    if change.before.rollout != rollout and rollout is not None:
        text = f"rollout {rollout_id} has ended without verdicts: {rollout.error}"
        messages.append(EventMessage("RolloutFailed", text, about, position=1, warning=True))
    return messages
