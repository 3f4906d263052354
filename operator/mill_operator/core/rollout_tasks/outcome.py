"""What tasks with `after` mean for the end of a rollout: it waits for them, and their failure is its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask


@dataclass(frozen=True, slots=True)
class AwaitedTasks:
    """The tasks that run after services, of one rollout."""

    has_pending: bool = False
    failed: RolloutTask | None = None
    """The first that has failed."""

    @property
    def failure(self) -> str | None:
        """Why the rollout does not succeed, if only a task has failed."""
        return (
            None if self.failed is None else f"task {self.failed.name} has failed: {self.failed.message or 'unknown'}"
        )


NO_TASKS = AwaitedTasks()


def awaited_tasks(
    desired: Iterable[DesiredRolloutTask], states: Sequence[RolloutTask], rollout_id: str
) -> AwaitedTasks:
    """Return what is known of the tasks with `after` in a rollout."""
    known = {each.name: each for each in states}
    pending, failed = False, None
    for task in desired:
        state = known.get(task.name)
        if not task.after or (state is not None and state.has_succeeded(task.version)):
            continue
        is_current = state is not None and (state.version, state.rollout) == (task.version, rollout_id)
        if state is not None and is_current and state.state is RolloutTaskState.FAILED and state.run is not None:
            failed = failed or state
        else:  # also if it has not run for want of a service, which may be well again by now
            pending = True
    return AwaitedTasks(pending, failed)
