"""The start of a rollout, and how the one before it becomes history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mill_api.events import stream_end
from mill_api.rollout_results import failures
from mill_api.rollouts import PastRollout, Rollout
from mill_api.service_status import Phase, ServiceStatus, State
from mill_api.status import HISTORY_KEPT, MillDeploymentStatus
from mill_operator.core import limits, timestamps
from mill_operator.core.rollout.conditions import conditions
from mill_operator.core.verdicts.observation import Observation
from mill_operator.core.verdicts.rules.progress import NOT_STOPPED

_KEPT: Final = (
    "healthy_template",
    "settle",
    "settling_since",
    "settling_crashes",
    "settling_newest",
    "serving_since",
    "serving_images",
)
"""What a rollout takes over of a service that acts in it."""


def start_rollout(
    previous: MillDeploymentStatus, observations: Sequence[Observation], rollout_id: str, now: datetime
) -> MillDeploymentStatus:
    """Start a rollout: settled services that stay as they are keep their state, all others start again."""
    before = {service.name: service for service in previous.services if service.state is not State.STOPPED}
    wanted = {each.service for each in observations}
    services = [_service_at_start(before.get(each.service), each, now) for each in observations]
    services += [removed_service(name, now, each) for name, each in before.items() if name not in wanted]
    return previous.model_copy(
        update={
            "rollout": Rollout(id=rollout_id, started_at=timestamps.render(now)),
            "services": services,
            "history": history(previous, rollout_id, now),
        }
    )


def refuse_rollout(
    previous: MillDeploymentStatus, reason: str, *, generation: int, rollout_id: str, now: datetime
) -> MillDeploymentStatus:
    """End a rollout before it starts, because the spec is invalid. Running services stay as they are."""
    at = timestamps.render(now)
    status = previous.model_copy(
        update={
            "observed_generation": generation,
            "rollout": Rollout(id=rollout_id, started_at=at, finished_at=at, success=False, refused=reason),
            "services": [each.model_copy(update={"transitions": [], "settlement": None}) for each in previous.services],
            "history": history(previous, rollout_id, now),
        }
    )
    return status.model_copy(update={"conditions": conditions(status, previous.conditions, now)})


def new_service(name: str, now: datetime, before: ServiceStatus | None = None) -> ServiceStatus:
    """Return a service at its start: known are the template that worked last, an open window, and what serves."""
    kept = {} if before is None else {field: getattr(before, field) for field in _KEPT}
    if before is not None and before.settling_since is not None:
        kept["template"] = before.template  # the window is that template's
    return ServiceStatus(name=name, moved_at=timestamps.render(now), **kept)


def removed_service(name: str, now: datetime, before: ServiceStatus | None = None) -> ServiceStatus:
    """Return a service that is removed. One that is already overdue gets no second grace period."""
    known = before is not None and before.rule == NOT_STOPPED.id
    at = before.moved_at if before is not None and (known or before.state is State.STOPPING) else None
    return ServiceStatus(name=name, state=State.STOPPING, moved_at=at or timestamps.render(now))


def _service_at_start(before: ServiceStatus | None, observed: Observation, now: datetime) -> ServiceStatus:
    unchanged = (
        before is not None
        and before.state is State.HEALTHY
        and before.settled_at is not None
        and observed.state is State.HEALTHY
        and before.template == observed.template
        and before.replicas.desired == observed.replicas.desired
    )
    if before is not None and unchanged:
        return before.model_copy(update={"transitions": [], "settlement": None, "updated_by": None})
    return new_service(observed.service, now, before)


def history(previous: MillDeploymentStatus, rollout_id: str, now: datetime) -> list[PastRollout]:
    """Return the rollouts before the one of this id, newest first."""
    if previous.rollout is None or previous.rollout.id == rollout_id:
        return previous.history
    return [_past(previous, previous.rollout, now), *previous.history][:HISTORY_KEPT]


def _past(status: MillDeploymentStatus, rollout: Rollout, now: datetime) -> PastRollout:
    superseded, failed = rollout.finished_at is None, failures(rollout, status.services)
    blamed = {each.service for each in failed}
    ends = {each.name: stream_end(each) for each in status.services if each.transitions}
    good = [name for name, end in ends.items() if end is not None and end.phase is not Phase.FAILED]
    return PastRollout(
        id=rollout.id,
        started_at=rollout.started_at,
        finished_at=rollout.finished_at or timestamps.render(now),
        success=bool(rollout.success),
        superseded=superseded,
        failed=failed,
        regressed=rollout.regressed,
        put_back=rollout.put_back[-limits.PUT_BACK_KEPT :],
        settled=[name for name in good if superseded or not blamed.isdisjoint((None, name))],
        unsettled=[name for name, end in ends.items() if end is None and rollout.last_seq is not None],
    )
