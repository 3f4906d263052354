"""Tasks that run in rollouts, as the API shows them: in the words of a rollout's stream."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from pydantic import BaseModel, Field

from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_api.task_notices import seconds_of_run, why_not_started
from mill_gateway.objects.deployments import Deployment

ROLLOUT_TASKS_SHOWN: Final = 100
"""Number of tasks in rollouts that are listed together."""


class RolloutTaskView(BaseModel):
    """A task with `before` or `after`, and how it stands for the version that was asked for last."""

    task: str = Field(description="Name of the task.", examples=["migrate"])
    deployment: str = Field(description="Name of the MillDeployment.")
    namespace: str
    before: list[str] = Field(default_factory=list, description="The services that wait for its success.")
    after: list[str] = Field(default_factory=list, description="The services after whose success it runs.")
    state: str = Field(description="`waiting`, `running`, `succeeded` or `failed`.", examples=["succeeded"])
    run: str | None = Field(
        None,
        description="Id of its run; left out before it starts, and if an earlier version's run has succeeded for it.",
        examples=["migrate-1a2b3c40"],
    )
    duration: float | None = Field(
        None, description="Seconds that the run took; left out until it has ended.", examples=[4.1]
    )
    started_at: str | None = Field(None, description="Time at which the run was started.")
    finished_at: str | None = Field(None, description="Time at which the run ended.")
    code: str | None = Field(None, description="Why it failed: a stable code.")
    message: str | None = Field(
        None, description="Why it waits, has failed, or has not started its program yet, for people."
    )
    detail: str | None = Field(None, description="What matters beside `message`: the last line of the log.")


def view_rollout_tasks(deployments: Iterable[Deployment]) -> list[RolloutTaskView]:
    """Return the tasks in rollouts of several deployments, at most `ROLLOUT_TASKS_SHOWN`."""
    return list(islice((each for deployment in deployments for each in _of(deployment)), ROLLOUT_TASKS_SHOWN))


def _of(deployment: Deployment) -> Iterator[RolloutTaskView]:
    """Yield the tasks of the file that run in rollouts, and those that run and have left it."""
    states = deployment.status.rollout_tasks
    if not states:
        return
    before, after = deployment.task_orders("before"), deployment.task_orders("after")
    for each in states:
        named = (before.get(each.name, []), after.get(each.name, []))
        if any(named) or each.state is RolloutTaskState.RUNNING:
            yield _view(deployment, each, *named)


def _view(deployment: Deployment, task: RolloutTask, before: list[str], after: list[str]) -> RolloutTaskView:
    return RolloutTaskView(
        task=task.name,
        deployment=deployment.key.name,
        namespace=deployment.key.namespace,
        before=before,
        after=after,
        state=task.state.lower(),
        run=task.run,
        duration=seconds_of_run(task) if task.run else None,
        started_at=task.started_at,
        finished_at=task.finished_at,
        code=task.reason,
        message=task.message or why_not_started(task, deployment.status),
        detail=task.detail,
    )
