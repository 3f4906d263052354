"""When a task runs by itself: its fields, and their rules."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Final, Protocol

from pydantic import Field

from mill_api.constraints import shown
from mill_api.fields import ScheduleDeadline
from mill_api.problems import Problem
from mill_api.schedules import MAX_LENGTH, PATTERN, ROUGH_PATTERN, InvalidSchedule, parse_schedule, zones
from mill_api.text_rules import SCHEDULE_DEADLINE

DEFAULT_DEADLINE: Final = "10m"
"""Without a limit, Kubernetes starts the last run that a CronJob has missed since it was made: a schedule that a deploy
adds in the afternoon would start the run of the night before."""

ScheduleField = Annotated[
    Annotated[str, Field(max_length=MAX_LENGTH, pattern=ROUGH_PATTERN)] | None,
    Field(
        description="When runs start by themselves: minute, hour, day of month, month and day of week, such as "
        "0 3 * * *, or @daily. If it is left out, runs start only on request."
    ),
]
TimeZoneField = Annotated[
    Annotated[str, Field(max_length=64, pattern="^[A-Za-z][-A-Za-z0-9_+/]*$")] | None,
    Field(description="Time zone of the schedule, such as Europe/Berlin. If it is left out, UTC."),
]
OverlapField = Annotated[
    bool,
    Field(
        description="Whether a run starts on schedule while an earlier one of the task is in progress. Otherwise it "
        "waits for the end of that one, at most for the deadline."
    ),
]
DeadlineField = Annotated[
    ScheduleDeadline | None,
    Field(
        description="Time after which a run that could not start on schedule is missed, such as 1h; from 10s to 24h. "
        f"If it is left out, {DEFAULT_DEADLINE}."
    ),
]

CEL_RULES: Final = (
    (
        "has(self.schedule) || !has(self.timezone) && !has(self.deadline) && (!has(self.overlap) || !self.overlap)",
        "timezone, overlap and deadline need a schedule",
    ),
    (
        f"!has(self.schedule) || self.schedule.matches(r'{PATTERN}')",
        "the schedule must be minute, hour, day of month, month and day of week, such as 0 3 * * *, or @daily",
    ),
)
"""Each with its message; true for what is accepted."""


class ScheduledTask(Protocol):
    """The fields of a task that the rules read."""

    @property
    def schedule(self) -> str | None: ...
    @property
    def timezone(self) -> str | None: ...
    @property
    def overlap(self) -> bool: ...
    @property
    def deadline(self) -> str | None: ...


def schedule_breaches(task: ScheduledTask) -> Iterator[Problem]:
    """Yield what is wrong with the schedule of a task."""
    if task.schedule is None:
        given = {"timezone": task.timezone, "overlap": task.overlap or None, "deadline": task.deadline}
        for name, value in given.items():
            if value is not None:
                yield Problem(name, f"{name} needs a schedule", 'add `schedule = "0 3 * * *"`', absent=("schedule",))
    else:
        try:
            parse_schedule(task.schedule)
        except InvalidSchedule as error:
            yield Problem("schedule", str(error), error.suggestion)
    if task.timezone is not None and task.timezone not in zones():
        yield Problem("timezone", f"unknown time zone '{shown(task.timezone)}'", _nearest_zone(task.timezone))
    if task.deadline is not None and (refusal := SCHEDULE_DEADLINE.refuse(task.deadline)) is not None:
        yield Problem("deadline", *refusal)


def _nearest_zone(name: str) -> str:
    by_name = {zone.lower(): zone for zone in sorted(zones())}
    by_city = {zone.rpartition("/")[2]: zone for zone in by_name}
    wanted = name[:64].lower().replace(" ", "_")
    near = get_close_matches(wanted, by_name, 1, 0.75) or [
        by_city[each] for each in get_close_matches(wanted.rpartition("/")[2], by_city, 1, 0.85)
    ]
    return f"did you mean `{by_name[near[0]]}`?" if near else 'write its name, such as timezone = "Europe/Berlin"'
