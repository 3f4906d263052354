"""Schedules of tasks: their text, and the moments at which they come.

They are read as Kubernetes reads those of CronJobs (robfig/cron, `ParseStandard`): a time comes if minute, hour and
month match, and the days of month and week both do; if neither of these two is a `*`, one of them is enough. Where
clocks change, a time that a day leaves out does not come on it, and one that it has twice comes twice.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from mill_api.constraints import shown

MACROS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAYS_OF_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MAX_LENGTH: Final = 128
LONGEST_WAIT_DAYS: Final = 9 * 366
"""Days within which every schedule comes: the 29th of February is missing once in a century."""
_FORM: Final = 'write minute, hour, day of month, month and day of week, such as schedule = "0 3 * * *"'


class InvalidSchedule(ValueError):
    """A text that is no schedule. `str` is the problem, `suggestion` what to write."""

    def __init__(self, message: str, suggestion: str = _FORM) -> None:
        super().__init__(message)
        self.suggestion = suggestion


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        words = f", or {self.words[0].upper()} to {self.words[-1].upper()}" if self.words else ""
        return f"{self.least} to {self.most}{words}"


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _WEEKDAYS),
)


def _field_pattern(value: str) -> str:
    item = rf"(?:[*?]|{value}(?:-{value})?)(?:/[1-9][0-9]?)?"
    return f"{item}(?:,{item})*"


_PATTERNS: Final = (
    "[0-5]?[0-9]",
    "(?:[01]?[0-9]|2[0-3])",
    "(?:0?[1-9]|[12][0-9]|3[01])",
    "(?:0?[1-9]|1[0-2]|[A-Za-z]{3})",
    "(?:[0-6]|[A-Za-z]{3})",
)
PATTERN: Final = f"^(?:{'|'.join(MACROS)}|{' +'.join(map(_field_pattern, _PATTERNS))})$"
"""The form of schedules, for the API server. `parse_schedule` refuses more: words that are no names, ranges that end
before they begin, and times that never come."""
ROUGH_PATTERN: Final = r"^(@[a-z]+|\S+( +\S+){4})$"
"""The form for the schema, short enough for an error message."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of a schedule, on any clock."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    needs_both_days: bool
    """Whether a day must match both by its day of month and by its day of week."""

    def has_day(self, day: date) -> bool:
        """Return whether the schedule comes on a day."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (in_month and in_week) if self.needs_both_days else (in_month or in_week)


def parse_schedule(text: str) -> Schedule:
    """Read a schedule. Raise `InvalidSchedule`."""
    if text.startswith(("TZ=", "CRON_TZ=")):
        zone = text.partition("=")[2].partition(" ")[0] or "Europe/Berlin"
        raise InvalidSchedule("a schedule has no time zone in it", f'write timezone = "{shown(zone)}" beside it')
    if text.startswith("@") and text not in MACROS:
        raise InvalidSchedule(f"'{shown(text)}' is not a schedule", f"write five fields, or one of {', '.join(MACROS)}")
    words = MACROS.get(text, text).split(" ")
    words = [word for word in words if word]
    if len(text) > MAX_LENGTH or text != text.strip() or len(words) != len(_FIELDS):
        found = f", got {len(words)}" if len(words) != len(_FIELDS) else ""
        raise InvalidSchedule(f"a schedule has five fields{found}")
    minutes, hours, days, months, weekdays = (_numbers(word, field) for word, field in zip(words, _FIELDS, strict=True))
    needs_both_days = _is_any(words[2]) or _is_any(words[4])
    if needs_both_days and not any(min(days) <= _DAYS_OF_MONTH[month - 1] for month in months):
        raise InvalidSchedule("no month of the schedule has such a day", "correct the day of month or the month")
    return Schedule(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        frozenset(days),
        frozenset(months),
        frozenset(weekdays),
        needs_both_days,
    )


def next_time(schedule: Schedule, zone: str | None, after: datetime) -> datetime | None:
    """Return the first time of a schedule after a moment, in UTC; None if there is none for years.

    `zone` is one of `zones`; without one, times are UTC.
    """
    clock = ZoneInfo(zone or "UTC")
    first = after.astimezone(clock).date()
    for offset in range(LONGEST_WAIT_DAYS):
        day = first + timedelta(days=offset)
        if schedule.has_day(day):
            # A clock that changes may show a time twice, and later ones in between.
            coming = [moment for moment in _moments(schedule, day, clock) if moment > after]
            if coming:
                return min(coming)
    return None


def latest_time(schedule: Schedule, zone: str | None, since: datetime, until: datetime) -> datetime | None:
    """Return the last time of a schedule after `since` that is not after `until`, looking at most two days back."""
    at, latest = max(since, until - timedelta(days=2)), None
    clock = ZoneInfo(zone or "UTC")
    day = at.astimezone(clock).date()
    while day <= until.astimezone(clock).date():
        if schedule.has_day(day):
            passed = [moment for moment in _moments(schedule, day, clock) if at < moment <= until]
            latest = max([*passed, *([latest] if latest else [])], default=None)
        day += timedelta(days=1)
    return latest


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


def _moments(schedule: Schedule, day: date, clock: ZoneInfo) -> Iterator[datetime]:
    """Yield the moments of a day at which a clock shows a time of the schedule: none, one or two for each."""
    for hour in schedule.hours:
        for minute in schedule.minutes:
            shown_time = datetime.combine(day, time(hour, minute))
            found = {shown_time.replace(tzinfo=clock, fold=fold).astimezone(UTC) for fold in (0, 1)}
            for moment in found:
                if moment.astimezone(clock).replace(tzinfo=None) == shown_time:
                    yield moment


def _is_any(word: str) -> bool:
    """Whether a field restricts nothing, as robfig/cron sees it: a `*` with a step restricts."""
    return any(re.fullmatch(r"[*?](?:/0*1)?", item) for item in word.split(","))


def _numbers(word: str, field: _Field) -> set[int]:
    found: set[int] = set()
    for item in word.split(","):
        span, slash, step = item.partition("/")
        low, dash, high = span.partition("-")
        if low in ("*", "?") and not dash:
            first, last = field.least, field.most
        else:
            first = _number(low, field)
            last = _number(high, field) if dash else field.most if slash else first
        if first > last:
            raise InvalidSchedule(f"the {field.name} of a schedule ends before it begins: '{shown(span)}'")
        if slash and not re.fullmatch(r"[1-9][0-9]?", step, re.ASCII):
            raise InvalidSchedule(
                f"the step of the {field.name} of a schedule is from 1 to 99, got '{shown(step)}'",
                "write a number after the slash, as in */5",
            )
        found.update(range(first, last + 1, int(step) if slash else 1))
    return found


def _number(text: str, field: _Field) -> int:
    if text.lower() in field.words:
        return field.words.index(text.lower()) + field.least
    if re.fullmatch("[0-9]{1,2}", text, re.ASCII) and field.least <= int(text) <= field.most:
        return int(text)
    suggestion = "write 0 or SUN for Sunday" if (text, field.name) == ("7", "day of week") else _FORM
    raise InvalidSchedule(f"the {field.name} of a schedule is from {field.range}, got '{shown(text)}'", suggestion)
