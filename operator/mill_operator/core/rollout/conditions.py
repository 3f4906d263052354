"""Status → Ready, Reconciling and Stalled, exactly as kstatus reads them, and with it Flux, Argo CD and Helm.

Ready is always present. Reconciling and Stalled are present only while they are true, and never both: the first failed
service makes the resource Stalled, so that clients need not wait for the other services.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, Literal

from mill_api.status import INTERNAL_ERROR, Condition, MillDeploymentStatus, ServiceStatus, State
from mill_objects.printable import one_line
from mill_operator.core import limits, timestamps

_ENDED: Final = (State.FAILED, State.STOPPED)

Kind = Literal["Ready", "Reconciling", "Stalled"]


def conditions(status: MillDeploymentStatus, previous: Sequence[Condition], now: datetime) -> list[Condition]:
    """Return the conditions of a status; times move only when a condition's status does."""
    live = [each for each in status.services if each.state not in (State.STOPPING, State.STOPPED)]
    failed = [each for each in live if each.state is State.FAILED]
    finished = status.rollout is not None and status.rollout.finished_at is not None
    condition = partial(_condition, previous=previous, generation=status.observed_generation, now=now)
    # One that has settled and is not healthy now has lost a pod, which is not a rollout.
    moving = [each for each in status.services if _is_moving(each)]

    if status.rollout is not None and status.rollout.refused is not None:
        message = "; ".join(status.rollout.refused.splitlines())
        return [
            condition("Ready", "False", "InvalidSpec", message),
            condition("Stalled", "True", "InvalidSpec", message),
        ]
    if failed:
        message = _failure(failed, moving, len(live))
        reason = next((each.reason for each in failed if each.root is None), failed[0].reason) or "Failed"
        return [condition("Ready", "False", reason, message), condition("Stalled", "True", reason, message)]
    if moving or (not finished):
        starting = [each for each in moving if each.state is not State.HEALTHY]
        healthy = len(live) - sum(each.state is not State.STOPPING for each in starting)
        wait = f"waiting for {_names(starting)}" if starting else f"waiting for {_names(moving)} to stay ready"
        message = f"{healthy} of {len(live)} healthy; {wait}"
        return [
            condition("Ready", "False", "Progressing", message),
            condition("Reconciling", "True", "Progressing", message),
        ]
    # Their rollout has succeeded, and is not undone by a lost pod. Those that are updated serve.
    lost = [each for each in live if each.state is not State.HEALTHY and not each.is_updating]
    message = f"{len(live) - len(lost)} of {len(live)} healthy"
    if lost:
        message += f"; recovering: {_names(lost)}"
    if updating := [each for each in live if each.is_updating]:
        message += f"; {updating[0].updated_by} updates {_names(updating)}"
    return [condition("Ready", "True", "Healthy", message)]


def _is_moving(service: ServiceStatus) -> bool:
    """Return whether a service keeps its resource from being Ready. An update does not while the service serves."""
    if service.settled_at is not None or service.state in _ENDED:
        return False
    return not (service.is_updating and service.replicas.serving)


def is_ready(conditions: Iterable[Condition]) -> bool:
    """Return whether conditions say that the resource is Ready."""
    return any(each.type == "Ready" and each.status == "True" for each in conditions)


def internal_error_conditions(
    message: str, previous: Sequence[Condition], generation: int, now: datetime
) -> list[Condition]:
    """Return the conditions of a resource that cannot be reconciled, whatever the states of its services."""
    condition = partial(_condition, previous=previous, generation=generation, now=now)
    return [condition("Ready", "False", INTERNAL_ERROR, message), condition("Stalled", "True", INTERNAL_ERROR, message)]


def _condition(
    kind: Kind,
    value: Literal["True", "False"],
    reason: str,
    message: str,
    *,
    previous: Sequence[Condition],
    generation: int,
    now: datetime,
) -> Condition:
    old = next((each for each in previous if each.type == kind), None)
    since = old.last_transition_time if old and old.status == value else timestamps.render(now)[:-5] + "Z"
    return Condition(
        type=kind,
        status=value,
        reason=reason,
        message=one_line(message, limits.CONDITION_BYTES),
        observed_generation=generation,
        last_transition_time=since,
    )


def _failure(failed: Sequence[ServiceStatus], moving: Sequence[ServiceStatus], total: int) -> str:
    names = {each.name for each in failed}
    followers: dict[str, list[str]] = {}
    for each in failed:
        if each.root in names and each.root != each.name:
            followers.setdefault(each.root or "", []).append(each.name)
    roots = (each for each in failed if each.root not in names or each.root == each.name)
    causes = "; ".join(f"{each.name}: {each.message}{_followed_by(followers.get(each.name, ()))}" for each in roots)
    starting = sum(each.state is not State.HEALTHY for each in moving)
    rest = f"; {starting} still starting" if starting else ""
    return f"{len(failed)} of {total} failed: {causes}{rest}"


def _followed_by(names: Sequence[str]) -> str:
    return f", and with it {_first_names(names)}" if names else ""


def _names(services: Sequence[ServiceStatus]) -> str:
    return _first_names([each.name for each in services])


def _first_names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
