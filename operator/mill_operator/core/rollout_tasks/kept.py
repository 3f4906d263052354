"""The states of tasks in rollouts, with what the revisions say of them (`mill_api.task_records`)."""

from collections.abc import Iterable, Sequence

from mill_api.revisions import Revision
from mill_api.rollout_tasks import VERSIONS_KEPT, RolloutTask, RolloutTaskState
from mill_api.task_records import goes_back, has_succeeded
from mill_objects.json import JsonView
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask


def is_to_be_looked_up(before: Sequence[RolloutTask], after: Sequence[RolloutTask]) -> bool:
    """Return whether a run would start: before the first one of a version, the revisions are looked at."""
    known = {(each.name, each.run) for each in before}
    return any(
        each.state is RolloutTaskState.RUNNING and each.uid is None and (each.name, each.run) not in known
        for each in after
    )


def with_kept_versions(
    before: Sequence[RolloutTask],
    desired: Iterable[DesiredRolloutTask],
    spec: JsonView,
    revisions: Sequence[Revision],
) -> list[RolloutTask]:
    """Return the states with the versions that need no run of a task, by what the revisions say."""
    states = {each.name: each for each in before}
    is_rollback = goes_back(spec, revisions)
    for task in desired:
        known = states.get(task.name)
        succeeded = [] if known is None else known.succeeded
        if task.version in succeeded or not has_succeeded(task.name, spec, revisions, is_rollback=is_rollback):
            continue
        versions = [task.version, *succeeded][:VERSIONS_KEPT]
        new = RolloutTask(name=task.name, version=task.version, state=RolloutTaskState.WAITING)
        states[task.name] = (new if known is None else known).model_copy(update={"succeeded": versions})
    return list(states.values())
