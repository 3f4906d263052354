"""What tasks with `before` hold back: the new versions of services, until a run of the task has succeeded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask


@dataclass(frozen=True, slots=True)
class Hold:
    """The tasks that have not succeeded yet and come before one service."""

    tasks: tuple[str, ...]
    failed: RolloutTask | None = None
    """The first of them that has failed."""


def holds(desired: Iterable[DesiredRolloutTask], written: Sequence[RolloutTask], rollout_id: str) -> Mapping[str, Hold]:
    """Return what holds services back, by their names. What has failed in an earlier rollout runs again in this one.

    `written` is the status that the API server has: a service begins only when the success that lets it begin is kept.
    """
    known = {each.name: each for each in written}
    found: dict[str, Hold] = {}
    for task in desired:
        before = known.get(task.name)
        if before is not None and before.has_succeeded(task.version):
            continue
        is_current = before is not None and (before.version, before.rollout) == (task.version, rollout_id)
        has_failed = before is not None and is_current and before.state is RolloutTaskState.FAILED
        for service in task.before:
            hold = found.get(service, Hold(()))
            found[service] = Hold((*hold.tasks, task.name), hold.failed or (before if has_failed else None))
    return found
