"""Tasks on a schedule, as the API shows them."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from pydantic import BaseModel, Field

from mill_gateway.objects.deployments import Deployment

SCHEDULES_SHOWN: Final = 100
"""Number of tasks on a schedule that are listed together."""


class ScheduledTask(BaseModel):
    """A task that runs on a schedule."""

    task: str = Field(description="Name of the task.", examples=["report"])
    deployment: str = Field(description="Name of the MillDeployment.")
    namespace: str
    next_run: str | None = Field(
        None,
        description="Time of the schedule for which the next run starts. One that has passed is due.",
        examples=["2026-02-15T02:00:00.000Z"],
    )
    last_run: str | None = Field(None, description="Time of the schedule for which the last run was started.")
    missed_run: str | None = Field(None, description="Last time of the schedule for which no run was started.")


def view_schedules(deployments: Iterable[Deployment]) -> list[ScheduledTask]:
    """Return the tasks on a schedule of several deployments, the soonest first, at most `SCHEDULES_SHOWN`."""
    found = (
        ScheduledTask(
            task=task.name,
            deployment=deployment.key.name,
            namespace=deployment.key.namespace,
            next_run=task.next_run,
            last_run=task.last_run,
            missed_run=task.missed_run,
        )
        for deployment in deployments
        for task in deployment.status.tasks
        if task.next_run is not None
    )
    return list(islice(sorted(found, key=lambda each: each.next_run or ""), SCHEDULES_SHOWN))
