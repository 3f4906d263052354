"""The lines of plain output about tasks that run in a rollout. Pure.

They are printed at once, on standard error: what standard output waits for.
"""

from collections.abc import Mapping
from typing import Any, Final

from mill_cli.output.lines import prefix
from mill_cli.output.numbers import seconds
from mill_cli.output.text import one_line, with_detail

TASK: Final = "task"
"""The name of the events about tasks."""
DONE: Final = "done"


class TaskLines:
    """The lines about tasks, each printed once, also after a lost connection."""

    def __init__(self, width: int) -> None:
        """`width` is that of the longest name of a service."""
        self._width = width
        self._printed: dict[str, str] = {}

    def line(self, data: Mapping[str, Any]) -> str | None:
        """Return the line of an event about a task; None if it is printed already, or says nothing."""
        task, text = data.get("task"), task_text(data)
        if not isinstance(task, str) or not text or self._printed.get(task) == text:
            return None
        self._printed[task] = text
        return prefix(task, self._width) + task_state(data)


def task_state(data: Mapping[str, Any]) -> str:
    """Return the text of a task with the time that it took: `done (4.1s)`."""
    took = _number(data.get("duration")) if data.get("state") == "succeeded" else None
    return task_text(data) + ("" if took is None else f" ({seconds(took)})")


def task_text(data: Mapping[str, Any]) -> str:
    """Return `running`, `not started: no nodes`, `done`, `waiting for db` or `failed: container exited with code 3`."""
    message = data.get("message")
    said = one_line(message) if isinstance(message, str) else ""
    match data.get("state"):
        case "succeeded":
            return DONE
        case "failed":
            return f"failed: {one_line(with_detail(said or 'unknown', data.get('detail')))}"
        case "waiting":
            return said or "waiting"
        case "running" if said:
            return f"not started: {said}"
        case str(state):
            return one_line(state)
    return ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
