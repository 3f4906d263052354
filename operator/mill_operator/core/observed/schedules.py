"""Projection of when a CronJob starts runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mill_api.schedules import MAX_LENGTH, InvalidSchedule, parse_schedule, zones
from mill_objects import fields
from mill_objects.json import JsonView


@dataclass(frozen=True, slots=True)
class ObservedSchedule:
    """When Kubernetes starts runs of a task, as its CronJob says, and when it did last."""

    text: str
    """The schedule, which can be read."""
    zone: str | None
    deadline: timedelta
    """How late a run may start."""
    last: datetime | None
    """The time of the schedule for which the last run was made."""


def project_schedule(spec: JsonView, status: JsonView) -> ObservedSchedule | None:
    """Return the schedule of a CronJob; None if it is suspended, or has one that no task can have."""
    text, zone = fields.text(spec, "schedule"), fields.text(spec, "timeZone") or None
    limit = fields.optional_number(spec, "startingDeadlineSeconds")
    if fields.flag(spec, "suspend") or len(text) > MAX_LENGTH or (zone is not None and zone not in zones()):
        return None
    if limit is None or not 0 <= limit <= timedelta(days=1).total_seconds():
        return None
    try:
        parse_schedule(text)
    except InvalidSchedule:
        return None
    return ObservedSchedule(text, zone, timedelta(seconds=limit), fields.time(status, "lastScheduleTime"))
