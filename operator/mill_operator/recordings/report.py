"""What is said of each service, and when: as a table for people, or as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mill_api.durations import format_timedelta
from mill_api.service_status import ServiceStatus
from mill_objects import fields
from mill_objects.printable import multi_line, one_line
from mill_operator.core import limits
from mill_operator.core.verdicts.rules import BY_ID
from mill_operator.core.verdicts.rules.progress import NOT_BEGUN, NOT_STOPPED, RELEASE_FAILED, TIMEOUT, WAITING
from mill_operator.recordings.replay import Step

ROWS: Final = 1000
"""What is said of one service at most."""

_SPEEDS: Final = {
    **{each.id: each.speed.value for each in BY_ID.values()},
    **{each.id: each.speed.value for each in (TIMEOUT, NOT_BEGUN, RELEASE_FAILED, WAITING, NOT_STOPPED)},
}
_COLUMNS: Final = ("TIME", "AFTER", "SERVICE", "STATE", "CODE", "SPEED", "FAILS AT", "MESSAGE")


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of a service from a moment on. Times are RFC 3339; None stands for nothing."""

    time: str
    after: float
    """Seconds after the first frame."""
    namespace: str
    service: str
    state: str
    code: str | None
    rule: str | None
    message: str | None
    detail: str | None
    evidence: str | None
    suggestion: str | None
    speed: str | None
    due: str | None
    """When it becomes a failure, unless it ends before."""


def rows_of(steps: Iterable[Step], began: datetime, case: str = "") -> list[Row]:
    """Return a row for each change of what is said, oldest first. `case` stands in place of the namespace."""
    rows: list[Row] = []
    last: dict[tuple[str, str], Row] = {}
    counts: dict[tuple[str, str], int] = {}
    for step in steps:
        namespace = case or one_line(step.group.namespace, limits.NAME_BYTES)
        for service in step.status.services:
            row = _row(step.at, began, namespace, service)
            key = (namespace, row.service)
            if (before := last.get(key)) is not None and _said(before) == _said(row):
                continue
            counts[key] = counts.get(key, 0) + 1
            if counts[key] <= ROWS:
                last[key] = row
                rows.append(row)
    return sorted(rows, key=lambda each: each.after)  # it is stable: the file's order stays


def _said(row: Row) -> tuple[str | None, ...]:
    return row.state, row.code, row.message, row.rule


def _row(at: datetime, began: datetime, namespace: str, service: ServiceStatus) -> Row:
    return Row(
        time=_time(at),
        after=round((at - began).total_seconds(), 3),
        namespace=namespace,
        service=one_line(service.name, limits.NAME_BYTES),
        state=one_line(service.state, limits.NAME_BYTES),
        code=service.reason,
        rule=service.rule,
        message=service.message,
        detail=service.detail or None,
        evidence=multi_line(service.evidence, limits.TEXT_BYTES) if service.evidence else None,
        suggestion=service.suggestion or None,
        speed=_SPEEDS.get(service.rule or ""),
        due=_time(due) if (due := fields.moment(service.due_at)) is not None else None,
    )


def _time(at: datetime) -> str:
    """Return a time in seconds, or in milliseconds where it has some."""
    return at.isoformat(timespec="milliseconds" if at.microsecond >= 1000 else "seconds").replace("+00:00", "Z")


def as_json(rows: Sequence[Row], notes: Sequence[str]) -> dict[str, Any]:
    """Return the report as JSON."""
    return {"verdicts": [asdict(each) for each in rows], "notes": list(notes)}


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the report. The suggestion stands below its message."""
    cells = [_cells(each) for each in rows]
    widths = [max(len(line[at]) for line in (_COLUMNS, *cells)) for at in range(len(_COLUMNS) - 1)]
    shown = [bool(at in _ALWAYS or any(line[at] for line in cells)) for at in range(len(_COLUMNS))]
    helped: dict[str, str] = {}
    for line, row in zip((_COLUMNS, *cells), (None, *rows), strict=True):
        parts = [each.ljust(width) for each, width, is_shown in zip(line, widths, shown, strict=False) if is_shown]
        yield "  ".join([*parts, line[-1]]).rstrip()
        if row is not None and row.suggestion and helped.get(line[2]) != row.suggestion:
            helped[line[2]] = row.suggestion
            yield f"  help: {one_line(row.suggestion, limits.TEXT_BYTES)}"


_ALWAYS: Final = (0, 1, 2, 3, len(_COLUMNS) - 1)
"""Columns that are shown though they are empty."""


def _cells(row: Row) -> tuple[str, ...]:
    due = fields.moment(row.due)
    at = fields.moment(row.time)
    fails = ""
    if due is not None and at is not None and row.state != "Failed":
        fails = f"+{_span(row.after + (due - at).total_seconds())}"
    return (
        row.time,
        f"+{_span(row.after)}",
        f"{row.namespace}/{row.service}",
        row.state,
        row.code or "",
        row.speed or "" if row.code else "",
        fails,
        one_line(_with_detail(row), limits.TEXT_BYTES),
    )


def _with_detail(row: Row) -> str:
    return f"{row.message} ({row.detail})" if row.message and row.detail else row.message or ""


def _span(seconds: float) -> str:
    return format_timedelta(timedelta(seconds=round(seconds)))
