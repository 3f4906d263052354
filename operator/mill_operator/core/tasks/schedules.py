"""When the runs of a task on a schedule start: the next one, the last one, and one that was missed.

The next run in the status changes when it has started, or is missed; the time alone changes nothing. So a status that
is read late still says what was due.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from mill_api.schedules import next_time, parse_schedule
from mill_api.task_status import TaskStatus
from mill_operator.core import timestamps
from mill_operator.core.observed.schedules import ObservedSchedule

LATE: Final = timedelta(minutes=1)
"""How long after its deadline a run counts as missed: Kubernetes looks every ten seconds, and clocks differ."""


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """The schedule of a task as its status has it."""

    next_run: datetime | None
    last_run: datetime | None
    missed_run: datetime | None
    """The last time of the schedule for which no run was started."""

    def wake_at(self, schedule: ObservedSchedule) -> datetime | None:
        """Return when the next run counts as missed if it has not started."""
        return None if self.next_run is None else self.next_run + schedule.deadline + LATE


def observe_schedule(schedule: ObservedSchedule, before: TaskStatus | None, now: datetime) -> ScheduleStatus:
    """Return the next status of a schedule.

    A time is missed if its deadline has passed without a run, or if a run was started for a later one. Of a time that
    the schedule does not have any more nothing is said.
    """
    due = _moment(before.next_run if before else None)
    missed = _moment(before.missed_run if before else None)
    if due is not None and (due > now or not _has(schedule, due)):
        due = None
    if due is not None:
        was_started = schedule.last is not None and schedule.last >= due
        is_over = now >= due + schedule.deadline + LATE
        if not was_started and not is_over:
            return ScheduleStatus(due, schedule.last, missed)
        if not was_started or (schedule.last is not None and _was_skipped(due, schedule.last, schedule, now)):
            missed = due
    return ScheduleStatus(_next(schedule.text, schedule.zone, _minute(now)), schedule.last, missed)


def _was_skipped(due: datetime, last: datetime, schedule: ObservedSchedule, now: datetime) -> bool:
    """Whether a later run was started instead. What happened while the operator was away for long is not known."""
    return last > due and now < due + schedule.deadline + LATE


def _has(schedule: ObservedSchedule, moment: datetime) -> bool:
    return _next(schedule.text, schedule.zone, moment - timedelta(minutes=1)) == moment


def _moment(text: str | None) -> datetime | None:
    return None if text is None else timestamps.parse(text)


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


@lru_cache(maxsize=4096)
def _next(schedule: str, zone: str | None, after: datetime) -> datetime | None:
    """Return the next time of a schedule: once for the many reconciliations of a minute."""
    return next_time(parse_schedule(schedule), zone, after)
