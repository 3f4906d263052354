"""The table of tasks on a schedule: when they run next, and what was missed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mill_cli.output.ages import until
from mill_cli.output.tables import table


def schedule_table(
    schedules: Sequence[Mapping[str, Any]], now: float | None, width: int | None, *, namespaces: bool = False
) -> str:
    """Return the lines. `now` is the gateway's time in seconds since 1970; `namespaces`: they are of several ones."""
    header = ["TASK", "NEXT", "IN", "LAST", "MISSED"]
    rows = [
        [
            str(each.get("task") or ""),
            _minute(each.get("next_run")),
            until(each.get("next_run"), now),
            _minute(each.get("last_run")),
            _minute(each.get("missed_run")),
        ]
        for each in schedules
    ]
    if len({each.get("deployment") for each in schedules}) > 1:
        header.insert(0, "DEPLOYMENT")
        rows = [[str(each.get("deployment") or ""), *row] for each, row in zip(schedules, rows, strict=True)]
    if namespaces:
        header.insert(0, "NAMESPACE")
        rows = [[str(each.get("namespace") or ""), *row] for each, row in zip(schedules, rows, strict=True)]
    if not any(row[-1] for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return table(header, rows, width)


def _minute(moment: object) -> str:
    """Return a time of a schedule, which has no seconds, in UTC."""
    if not isinstance(moment, str):
        return ""
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
    except (ValueError, OverflowError):
        return ""
