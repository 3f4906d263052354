"""Previous status + observations + now → next status, and when to reconcile again.

The rollout's whole state is in the status, so that a reconciliation can start from it, after a crash at any moment.
Nothing here writes: the controller compares the result with what is written and patches the difference.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mill_api.service_status import ServiceStatus, State
from mill_api.status import MillDeploymentStatus, StatusWarning
from mill_operator.core import limits
from mill_operator.core.rollout.conditions import conditions
from mill_operator.core.rollout.leftovers import Leftover
from mill_operator.core.rollout.next_states import NextStates
from mill_operator.core.rollout.outcome import finished, regressions
from mill_operator.core.rollout.progress import overdue_at, stopped_by
from mill_operator.core.rollout.settling import NOT_SETTLED, ends_at, settling_warnings, with_earlier_settlements
from mill_operator.core.rollout.start import new_service, removed_service, start_rollout
from mill_operator.core.rollout_tasks.outcome import NO_TASKS, AwaitedTasks
from mill_operator.core.verdicts.observation import Observation


@dataclass(frozen=True, slots=True)
class NextStatus:
    """The next status, and when to reconcile again though nothing happens."""

    status: MillDeploymentStatus
    wake_at: datetime | None


def advance(
    previous: MillDeploymentStatus,
    observations: Sequence[Observation],
    *,
    generation: int,
    rollout_id: str,
    leftovers: Mapping[str, Leftover],
    now: datetime,
    rolled_back: Collection[str] = (),
    tasks: AwaitedTasks = NO_TASKS,
) -> NextStatus:
    """Return the next status.

    `observations` are the desired services in the file's order. `leftovers` are the objects that still exist of each
    removed service; such a service is `Stopped` when nothing is left. `rolled_back` are the services that run their
    older version again, or that failed and wait for an update without a pod: nothing can change their verdict. `tasks`
    are those that run after services.
    """
    previous = with_earlier_settlements(previous)
    current = previous.rollout
    if current is None or current.id != rollout_id or current.refused is not None:  # refused by an older operator
        previous = start_rollout(previous, observations, rollout_id, now)
    rollout = previous.rollout
    assert rollout is not None  # noqa: S101 - started above
    frozen = rollout.finished_at is not None
    states = NextStates(previous, now, frozen=frozen)
    before = {service.name: service for service in previous.services}
    services = [
        states.desired(
            before.get(each.service) or new_service(each.service, now), each, rolled_back=each.service in rolled_back
        )
        for each in observations
    ]
    wanted = {each.service for each in observations}
    unwanted = [*(name for name in before if name not in wanted), *(n for n in leftovers if n not in before)]
    services += [
        states.removed(before.get(name) or removed_service(name, now), leftovers.get(name)) for name in unwanted
    ]
    services = _bounded(services)
    if frozen:
        judged = {each.service for each in observations if each.internal_error is None}
        rollout = regressions(rollout, before, [each for each in services if each.name in judged], now)
    else:
        rollout = finished(rollout, services, tasks, now)
    live = [service for service in services if service.name in wanted]
    with_pods = [service for service in live if service.replicas.desired]
    status = previous.model_copy(
        update={
            "observed_generation": generation,
            "rollout": rollout,
            "services": services,
            "healthy": f"{sum(service.state is State.HEALTHY for service in live)}/{len(live)}",
            "warnings": _warnings(previous, services),
            "serving": f"{sum(service.replicas.serving > 0 for service in with_pods)}/{len(with_pods)}",
        }
    )
    status = status.model_copy(update={"conditions": conditions(status, previous.conditions, now)})
    return NextStatus(status, _wake_at(services, observations, leftovers, now))


def _warnings(previous: MillDeploymentStatus, services: Sequence[ServiceStatus]) -> list[StatusWarning]:
    others = [each for each in previous.warnings if each.code != NOT_SETTLED]
    return [*others, *settling_warnings(services)][: limits.SPEC_WARNINGS]


def _bounded(services: Sequence[ServiceStatus]) -> list[ServiceStatus]:
    """Drop the evidence of the last services, as far as all evidence together is too much for one object."""
    total = 0
    bounded = []
    for service in services:
        total += len(service.evidence or "")
        bounded.append(
            service if total <= limits.TOTAL_EVIDENCE_LENGTH else service.model_copy(update={"evidence": None})
        )
    return bounded


def _wake_at(
    services: Sequence[ServiceStatus],
    observations: Sequence[Observation],
    leftovers: Mapping[str, Leftover],
    now: datetime,
) -> datetime | None:
    moments = [each.wake_at for each in observations]
    for service in services:
        if service.state is State.STOPPING and (left := leftovers.get(service.name)) is not None:
            moments.append(stopped_by(service, left.stop_time, now))
        elif not service.state.is_verdict:
            moments.append(overdue_at(service, now))
        if service.settling_since is not None:
            moments.append(ends_at(service, now))
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
