"""Status → Ready, Reconciling and Stalled, exactly as kstatus reads them, and with it Flux, Argo CD and Helm.

Ready is always present. Reconciling and Stalled are present only while they are true, and never both: the first failed
service makes the resource Stalled, so that clients need not wait for the other services. A pause adds Paused, and
leaves the others as they are: kstatus does not know it.

The message of Ready is a column of `kubectl get md`, so it is short; Stalled and Reconciling have all of it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, Literal

from mill_api import names
from mill_api.pausing import PAUSED
from mill_api.rollout_tasks import RolloutTaskState
from mill_api.service_status import ServiceStatus, State
from mill_api.status import INTERNAL_ERROR, Condition, MillDeploymentStatus
from mill_objects.printable import one_line
from mill_operator.core import limits, timestamps
from mill_operator.core.rollout.summaries import first_names, first_that_fits, fitted, names_that_fit
from mill_operator.core.verdicts.rules.progress import RELEASE_FAILED

_ENDED: Final = (State.FAILED, State.STOPPED)

Kind = Literal["Ready", "Reconciling", "Stalled", "Paused"]


def conditions(status: MillDeploymentStatus, previous: Sequence[Condition], now: datetime) -> list[Condition]:
    """Return the conditions of a status; times move only when a condition's status does."""
    live = [each for each in status.services if each.state not in (State.STOPPING, State.STOPPED)]
    failed = [each for each in live if each.state is State.FAILED]
    finished = status.rollout is not None and status.rollout.finished_at is not None
    condition = partial(_condition, previous=previous, generation=status.observed_generation, now=now)
    # One that has settled and is not healthy now has lost a pod, which is not a rollout.
    moving = [each for each in status.services if _is_moving(each)]

    if status.rollout is not None and status.rollout.refused is not None:
        problems = status.rollout.refused.splitlines()
        return [
            condition("Ready", "False", "InvalidSpec", _short_refusal(problems)),
            condition("Stalled", "True", "InvalidSpec", "; ".join(problems)),
        ]
    if failed:
        reason = next((each.reason for each in failed if each.root is None), failed[0].reason) or "Failed"
        message = _failure(failed, moving, len(live))
        summary = _short_failure(failed, message, len(live))
        return [condition("Ready", "False", reason, summary), condition("Stalled", "True", reason, message)]
    if finished and status.rollout is not None and (cause := status.rollout.task_failure) is not None:
        code, short = RELEASE_FAILED.code, one_line(cause, limits.SUMMARY_LENGTH)
        return [condition("Ready", "False", code, short), condition("Stalled", "True", code, cause)]
    if moving or (not finished):
        starting = [each for each in moving if each.state is not State.HEALTHY]
        healthy = len(live) - sum(each.state is not State.STOPPING for each in starting)
        awaited, end = (_names(starting), "") if starting else (_names(moving), " to stay ready")
        awaited = [*_tasks(status, RolloutTaskState.RUNNING), *awaited]  # for which some of these services wait
        if not moving:  # but tasks that run after services
            awaited, end = [*awaited, *_tasks(status, RolloutTaskState.WAITING)], ""
        begin = f"{healthy} of {len(live)} healthy; waiting for "
        return [
            condition("Ready", "False", "Progressing", names_that_fit(begin, awaited, end)),
            condition("Reconciling", "True", "Progressing", f"{begin}{first_names(awaited)}{end}"),
        ]
    # Their rollout has succeeded, and is not undone by a lost pod. Those that are updated serve.
    lost = [each for each in live if each.state is not State.HEALTHY and not each.is_updating]
    message = f"{len(live) - len(lost)} of {len(live)} healthy"
    if lost:
        message = names_that_fit(f"{message}; recovering: ", _names(lost))
    if updating := [each for each in live if each.is_updating]:
        begin = f"{message}; {updating[0].updated_by} updates "
        message = first_that_fits(names_that_fit(begin, _names(updating)), message)
    return [condition("Ready", "True", "Healthy", message)]


def _is_moving(service: ServiceStatus) -> bool:
    """Return whether a service keeps its resource from being Ready. An update does not while the service serves."""
    if service.settled_at is not None or service.state in _ENDED:
        return False
    return not (service.is_updating and service.replicas.serving)


def is_ready(conditions: Iterable[Condition]) -> bool:
    """Return whether conditions say that the resource is Ready."""
    return any(each.type == "Ready" and each.status == "True" for each in conditions)


def paused_conditions(
    previous: Sequence[Condition], *, generation: int, is_rolled_out: bool, now: datetime
) -> list[Condition]:
    """Return the conditions of a paused resource: those that it had, and Paused.

    `is_rolled_out` says whether its rollout has begun: else there are changes that wait.
    """
    condition = partial(_condition, previous=previous, generation=generation, now=now)
    waits = "" if is_rolled_out else f"; generation {generation} waits"
    message = f"paused{waits}: the annotation {names.ANNOTATION_PAUSED} is set (`mill resume` removes it)"
    kept = [each for each in previous if each.type != PAUSED]
    if not kept:
        kept = [condition("Ready", "False", PAUSED, "paused before its first rollout")]
    return [*kept, condition("Paused", "True", PAUSED, message)]


def paused_condition(conditions: Iterable[Condition]) -> Condition | None:
    """Return the condition of a paused resource; None if it is not paused."""
    return next((each for each in conditions if each.type == PAUSED), None)


def internal_error_conditions(
    message: str, previous: Sequence[Condition], generation: int, now: datetime
) -> list[Condition]:
    """Return the conditions of a resource that cannot be reconciled, whatever the states of its services."""
    condition = partial(_condition, previous=previous, generation=generation, now=now)
    return [
        condition("Ready", "False", INTERNAL_ERROR, fitted(message)),
        condition("Stalled", "True", INTERNAL_ERROR, message),
    ]


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


def _tasks(status: MillDeploymentStatus, state: RolloutTaskState) -> list[str]:
    return [f"task {each.name}" for each in status.rollout_tasks if each.state is state]


def _failure(failed: Sequence[ServiceStatus], moving: Sequence[ServiceStatus], total: int) -> str:
    names = {each.name for each in failed}
    followers: dict[str, list[str]] = {}
    for each in failed:
        if each.root in names and each.root != each.name:
            followers.setdefault(each.root or "", []).append(each.name)
    roots: dict[str, list[ServiceStatus]] = {}
    for each in failed:
        if each.root not in names or each.root == each.name:
            # One task may hold several services back: its failure is one cause.
            cause = f"task: {each.message}" if each.reason == RELEASE_FAILED.code else f"service: {each.name}"
            roots.setdefault(cause, []).append(each)
    causes = "; ".join(
        f"{first_names(_names(same))}: {same[0].message}"
        f"{_followed_by([name for each in same for name in followers.get(each.name, ())])}"
        for same in roots.values()
    )
    starting = sum(each.state is not State.HEALTHY for each in moving)
    rest = f"; {starting} still starting" if starting else ""
    return f"{len(failed)} of {total} failed: {causes}{rest}"


def _followed_by(names: Sequence[str]) -> str:
    return f", and with it {first_names(names)}" if names else ""


def _short_failure(failed: Sequence[ServiceStatus], message: str, total: int) -> str:
    """Return what fits of a failure: its causes, that of a single service cut, or else the names of the services."""
    begin = f"{len(failed)} of {total} failed: "
    if len(failed) == 1:
        return first_that_fits(message, fitted(f"{begin}{failed[0].name}: {failed[0].message}"))
    # The failures of the others follow from the roots, so the roots are named first.
    ordered = sorted(failed, key=lambda each: each.root is not None)
    return first_that_fits(message, names_that_fit(begin, _names(ordered)))


def _short_refusal(problems: Sequence[str]) -> str:
    """Return what fits of the problems of a spec: all of them, or else the first one and the number of the others."""
    others = len(problems) - 1
    end = f" ({others} more)" if others else ""
    return first_that_fits("; ".join(problems), fitted(problems[0] if problems else "", end))


def _names(services: Sequence[ServiceStatus]) -> list[str]:
    return [each.name for each in services]
