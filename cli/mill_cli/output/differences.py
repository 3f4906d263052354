"""`mill diff` for people."""

import json
from collections.abc import Iterator
from typing import Any

from mill_cli.output.rollout_task_table import order
from mill_cli.output.screen import paint
from mill_cli.output.text import one_line

MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


def show(planned: Any, *, whole: bool = True) -> str:
    """Return the lines for the gateway's answer to a dry run; the last one alone, unless they are `whole`."""
    lines = list(_lines(planned))
    return "\n".join(lines if whole else lines[-1:])


def _lines(planned: Any) -> Iterator[str]:
    counts = dict.fromkeys([*MARKS, "unchanged"], 0)
    for kind in ("services", "tasks"):
        for program in planned[kind]:
            change = program["change"]
            counts[change] += 1
            if change in MARKS:
                mark, style = MARKS[change]
                yield paint(f"{mark} {kind[:-1]} {one_line(program['name'])}: {change}", style)
            for field in program["fields"]:
                yield f"    {one_line(field['path'])}: {_value(field['before'])} → {_value(field['after'])}"
    yield from renames(planned)
    yield from task_runs(planned)
    where = one_line(f"{planned['namespace']}/{planned['name']}")
    if not planned["changed"]:
        yield f"{where}: no changes"
    else:
        summary = ", ".join(f"{count} {change}" for change, count in counts.items() if count)
        yield f"{where}: {'new; ' if planned['created'] else ''}{summary}"


def renames(planned: Any) -> Iterator[str]:
    """Yield a line for each service that probably has a new name: its address changes, and nothing else says so."""
    renamed = planned.get("renamed") if isinstance(planned, dict) else None
    for each in renamed if isinstance(renamed, list) else ():
        match each:
            case {"before": str(before), "after": str(after)}:
                old, new = one_line(before), one_line(after)
                yield f"service {old} becomes {new}: its address {old} goes, and others reach it as {new}"


def task_runs(planned: Any) -> Iterator[str]:
    """Yield a line for each task that the rollout runs, and, if anything changes, for each that has run before."""
    tasks = planned.get("rollout_tasks") if isinstance(planned, dict) else None
    changed = isinstance(planned, dict) and planned.get("changed") is not False
    for each in tasks if isinstance(tasks, list) else ():
        match each:
            case {"task": str(name), "runs": True}:
                waits = f", {one_line(each['reason'])}" if isinstance(each.get("reason"), str) else ""
                yield f"task {one_line(name)} runs {order(each)}{waits}"
            case {"task": str(name), "reason": str(reason)} if changed:
                yield f"task {one_line(name)} does not run: {one_line(reason)}"


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
