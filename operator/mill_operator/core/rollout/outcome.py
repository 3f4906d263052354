"""How a rollout ends, and what becomes of its success."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from mill_api.rollouts import Regression, Rollout
from mill_api.service_status import Phase, ServiceStatus, State
from mill_api.status import INTERNAL_ERROR
from mill_objects.printable import one_line
from mill_operator.core import limits, timestamps
from mill_operator.core.rollout.settling import has_open_window
from mill_operator.core.rollout_tasks.outcome import AwaitedTasks


def finished(rollout: Rollout, services: Sequence[ServiceStatus], tasks: AwaitedTasks, now: datetime) -> Rollout:
    """Return the rollout, finished if it is over.

    It succeeds when every service has settled, and the tasks that run after services have succeeded. If a service has
    failed, it waits for nothing but a verdict on all others.
    """
    has_failed = any(service.state is State.FAILED for service in services)
    is_over = all(
        service.settled_at is not None or service.state is State.STOPPED or (has_failed and service.state.is_verdict)
        for service in services
    )
    if not is_over or (tasks.has_pending and not has_failed):
        return rollout
    last = max(map(last_seq, services), default=0)
    update = {
        "finished_at": timestamps.render(now),
        "success": not has_failed and tasks.failed is None,
        "last_seq": last,
        "task_failure": None if has_failed else tasks.failure,
    }
    return rollout.model_copy(update=update)


def last_seq(service: ServiceStatus) -> int:
    """Return the last position that a service has in its rollout; 0 if it has none."""
    settled = [service.settlement.seq] if service.settlement is not None else []
    return max([*settled, *(step.seq for step in service.transitions)], default=0)


def regressions(
    rollout: Rollout, before: Mapping[str, ServiceStatus], services: Iterable[ServiceStatus], now: datetime
) -> Rollout:
    """Return a finished rollout with the services that have failed since, the first failure of each.

    A service whose failure the rollout has reported does not count, and neither does one that had no part in a rollout
    that failed, nor one whose pod template the operator has changed since.
    """
    if rollout.refused is not None or rollout.error is not None:
        return rollout
    known = {each.service for each in rollout.regressed}
    new = []
    for service in services:
        old = before.get(service.name)
        if old is None or service.state is not State.FAILED or _has_failed(old) or service.name in known:
            continue
        if service.updated_by is not None:
            continue
        window = has_open_window(rollout, old)
        if (rollout.success or window) and not _failed_in(rollout, service):
            new.append(
                Regression(
                    service=service.name,
                    reason=one_line(service.message or service.reason or "", limits.RUN_MESSAGE_LENGTH),
                    code=service.reason or "",
                    at=timestamps.render(now),
                    seq=service.transitions[-1].seq if window else None,
                )
            )
    return rollout.model_copy(update={"regressed": [*rollout.regressed, *new]}) if new else rollout


def _has_failed(service: ServiceStatus) -> bool:
    """Whether a service has failed, as far as it could be judged."""
    return service.state is State.FAILED and service.reason != INTERNAL_ERROR


def _failed_in(rollout: Rollout, service: ServiceStatus) -> bool:
    last = rollout.last_seq
    return any(step.phase is Phase.FAILED and (last is None or step.seq <= last) for step in service.transitions)
