"""The table of tasks that run in rollouts: before or after which services, and how each of them stands."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mill_cli.output.ages import age
from mill_cli.output.tables import table
from mill_cli.output.task_lines import task_state
from mill_cli.output.text import one_line

NAMES_SHOWN: Final = 5
"""Services that a row names."""


def rollout_task_table(
    tasks: Sequence[Mapping[str, Any]], now: float | None, width: int | None, *, namespaces: bool = False
) -> str:
    """Return the lines. `now` is the gateway's time in seconds since 1970; `namespaces`: they are of several ones."""
    header = ["TASK", "RUNS", "ID", "CHANGED", "STATE"]
    rows = [
        [
            str(each.get("task") or ""),
            order(each),
            str(each.get("run") or ""),
            age(each.get("finished_at") or each.get("started_at"), now),
            task_state(each) or "unknown",
        ]
        for each in tasks
    ]
    if len({each.get("deployment") for each in tasks}) > 1:
        header.insert(0, "DEPLOYMENT")
        rows = [[str(each.get("deployment") or ""), *row] for each, row in zip(tasks, rows, strict=True)]
    if namespaces:
        header.insert(0, "NAMESPACE")
        rows = [[str(each.get("namespace") or ""), *row] for each, row in zip(tasks, rows, strict=True)]
    return table(header, rows, width)


def order(task: Mapping[str, Any]) -> str:
    """Return when a task runs in rollouts: `before web, worker`; empty if it has left the file."""
    for kind in ("before", "after"):
        names = task.get(kind)
        if isinstance(names, list) and names:
            more = len(names) - NAMES_SHOWN
            shown = one_line(", ".join(map(str, names[:NAMES_SHOWN])))
            return f"{kind} {shown}" + (f" and {more} more" if more > 0 else "")
    return ""
