"""The runs of tasks in the status, apart from those of rollouts (`rollout_tasks`). Decided in `core.tasks`."""

from datetime import datetime

from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.snapshot import Snapshot
from mill_operator.core.tasks.status import Observed, observe
from mill_operator.lookups import Lookups
from mill_operator.memory import Memory


async def observe_tasks(
    lookups: Lookups, memory: Memory, snapshot: Snapshot, now: datetime
) -> tuple[datetime | None, dict[str, InternalError]]:
    """Note the runs in the status.

    Return when to observe them again though nothing happens, and why tasks could not be rendered or judged, by name.
    """

    async def tasks(results: LookupResults) -> Observed:
        return observe(
            snapshot.jobs,
            snapshot.run_pods,
            memory.status.tasks,
            problems=memory.task_problems(),
            schedules=snapshot.schedules,
            results=results,
            now=now,
        )

    observed = await lookups.observe(tasks)
    unrendered = memory.desired.tasks if isinstance(memory.desired, DesiredState) else {}
    memory.status = memory.status.model_copy(update={"tasks": observed.tasks, "active_runs": observed.active})
    return observed.wake_at, {**unrendered, **dict(observed.internal_errors)}
