"""Statuses of a MillDeployment with the conditions that follow from them."""

from datetime import timedelta

from mill_api.rollouts import Rollout
from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.rollout.conditions import conditions

NOW = timestamps.parse("2026-01-31T12:00:00.250Z")


def status(
    *states: State, finished: bool = True, refused: str | None = None, settled: bool = True
) -> MillDeploymentStatus:
    """Make a status. Services that are healthy, or suspect, have settled if `settled`."""
    services = [
        ServiceStatus(
            name=f"s{number}",
            state=state,
            settled_at=timestamps.render(NOW) if settled and state in (State.HEALTHY, State.SUSPECT) else None,
            reason="TagNotFound" if state is State.FAILED else None,
            message="tag not found" if state is State.FAILED else None,
        )
        for number, state in enumerate(states, 1)
    ]
    rollout = Rollout(
        id="1", started_at=timestamps.render(NOW), finished_at=timestamps.render(NOW) if finished else None
    )
    bare = MillDeploymentStatus(
        observed_generation=1, rollout=rollout.model_copy(update={"refused": refused}), services=services
    )
    return judged(bare)


def judged(bare: MillDeploymentStatus, *, after: float = 0) -> MillDeploymentStatus:
    made = conditions(bare, bare.conditions, NOW + timedelta(seconds=after))
    return bare.model_copy(update={"conditions": made})
