"""Notices for the readers of a rollout about the tasks that run in it: a function of the resource alone.

A notice has no position in the record. A reader who resumes a stream gets the newest state of each task again.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from mill_api.events import Notice
from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_api.rollouts import Rollout
from mill_api.status import MillDeploymentStatus
from mill_objects.fields import moment

TASK: Final = "task"
"""The name of the notices."""


def task_notices(rollout: str, tasks: Iterable[str], status: MillDeploymentStatus) -> list[Notice]:
    """Return a notice for the state of each of some tasks in the current rollout; none for another rollout."""
    current, known = status.rollout, {each.name: each for each in status.rollout_tasks}
    if current is None or current.id != rollout:
        return []
    found = (_data(current, known[name], why_not_started(known[name], status)) for name in tasks if name in known)
    return [Notice(TASK, data) for data in found if data is not None]


def why_not_started(task: RolloutTask, status: MillDeploymentStatus) -> str | None:
    """Return why the program of a run in progress has not started, as for want of room on a node; None if it has."""
    if task.state is not RolloutTaskState.RUNNING:
        return None
    runs = (run for each in status.tasks if each.name == task.name for run in each.runs if run.name == task.run)
    return next((run.message for run in runs if run.started_at is None), None)


def seconds_of_run(task: RolloutTask) -> float | None:
    """Return how long the run of a task took; None if it has not ended, or never began."""
    began, ended = moment(task.started_at or ""), moment(task.finished_at or "")
    return None if began is None or ended is None else _seconds(ended - began)


def _data(rollout: Rollout, task: RolloutTask, not_started: str | None) -> dict[str, Any] | None:
    state = task.state
    if task.rollout != rollout.id:  # its version has succeeded before, or an older run is in progress
        if state is not RolloutTaskState.RUNNING or rollout.finished_at is not None:
            return None
        return {"task": task.name, "state": "waiting", "message": f"waiting for run {task.run}, of an earlier rollout"}
    if not state.known or (state is RolloutTaskState.SUCCEEDED and task.run is None):
        return None
    data: dict[str, Any] = {"task": task.name, "state": state.lower()}
    at = task.started_at if state is RolloutTaskState.RUNNING else task.finished_at
    began, changed = moment(rollout.started_at), moment(at or "")
    optional = {
        "run": task.run,
        "elapsed": None if began is None or changed is None else _seconds(changed - began),
        "duration": seconds_of_run(task),
        "code": task.reason,
        "message": task.message or not_started,
        "detail": task.detail,
    }
    return data | {name: value for name, value in optional.items() if value is not None}


def _seconds(elapsed: timedelta) -> float:
    return round(max(0.0, elapsed.total_seconds()), 1)
