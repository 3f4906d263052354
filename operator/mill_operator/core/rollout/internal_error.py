"""Passes that fail one after the other by a fault of mill → what the status tells of it.

One that fails once may do no more than meet a moment between two writes of others; it is made again and says nothing.
One that goes on failing is told, since nobody reads logs: the resource is Stalled, and a rollout that nobody can judge
ends after a while, so that whoever follows it hears of it. When a pass succeeds, the conditions are right again by
themselves; the end of that rollout is final.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from mill_api.status import INTERNAL_ERROR, MillDeploymentStatus, Rollout
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.rollout.conditions import internal_error_conditions
from mill_operator.core.rollout.event_messages import EventMessage
from mill_operator.core.rollout.start import history
from mill_operator.core.rollout.status_change import StatusChange

PASSES: Final = 3
PATIENCE: Final = timedelta(seconds=30)
"""So many passes that fail in a row are told, or two that are so far apart."""
GIVE_UP: Final = timedelta(minutes=10)
"""After so long a rollout ends that cannot be judged."""
REPORT: Final = (
    "This is a fault of mill, not of the spec: what runs is left as it is, and it goes on being tried."
    " Please report it, as mill's CONTRIBUTING.md says, with the lines of the operator's log that have this id."
)


@dataclass(frozen=True, slots=True)
class FailureStreak:
    """A row of passes over one MillDeployment, all of which failed."""

    rollout: str
    """Which rollout the last of them was about."""
    since: datetime
    """When the first of the row failed."""
    rollout_since: datetime
    """When the first failed that was about this rollout."""
    passes: int = 1

    def with_failure(self, rollout: str, now: datetime) -> "FailureStreak":
        """Return the row with one more pass that has failed just now."""
        rollout_since = self.rollout_since if rollout == self.rollout else now
        return replace(self, rollout=rollout, rollout_since=rollout_since, passes=self.passes + 1)

    def repeats(self, now: datetime) -> bool:
        """Tell whether it is more than a moment's trouble."""
        return self.passes >= PASSES or now - self.since >= PATIENCE

    def gives_up(self, now: datetime) -> bool:
        """Tell whether the rollout has waited long enough for a verdict."""
        return now - self.rollout_since >= GIVE_UP


def first_failure(rollout: str, now: datetime) -> FailureStreak:
    """Return the row of which a pass that has failed just now is the first."""
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
    """Return the status that tells of a fault; `end` ends the rollout, unless it has ended already.

    Everything else that is told stays as it is, also if it is about the generation before.
    """
    said = f"internal error of mill ({internal_error})"
    if end:
        status = _ended(status, said, rollout_id, now)
    made = internal_error_conditions(f"{said}. {REPORT}", status.conditions, generation, now)
    return status.model_copy(update={"observed_generation": generation, "conditions": made})


def _ended(status: MillDeploymentStatus, said: str, rollout_id: str, now: datetime) -> MillDeploymentStatus:
    rollout, at = status.rollout, timestamps.render(now)
    if rollout is not None and rollout.id == rollout_id:
        if rollout.finished_at is not None:
            return status
        over = rollout.model_copy(update={"finished_at": at, "success": False, "error": said})
        return status.model_copy(update={"rollout": over})
    never_begun = Rollout(id=rollout_id, started_at=at, finished_at=at, success=False, error=said)
    return status.model_copy(
        update={
            "rollout": never_begun,
            "services": [each.model_copy(update={"transitions": []}) for each in status.services],
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
