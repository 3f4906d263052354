"""Times of a recording: what `at` may be, and the newest time that its objects contain."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from mill_api.durations import InvalidDuration, parse_duration, to_timedelta
from mill_objects import fields
from mill_objects.json import JsonView

LONGEST: Final = timedelta(days=7)
"""The longest time after the first frame, or after the last one."""

_FIELDS: Final = frozenset(
    {
        "creationTimestamp",
        "eventTime",
        "failedAt",
        "finishedAt",
        "firstTimestamp",
        "lastHeartbeatTime",
        "lastObservedTime",
        "lastProbeTime",
        "lastTimestamp",
        "lastTransitionTime",
        "lastUpdateTime",
        "since",
        "startTime",
        "startedAt",
        "time",
    }
)
"""Fields with the time of something that has happened. A deletion's time is in the future."""


def newest_time(objects: Iterable[JsonView]) -> datetime | None:
    """Return the newest time in some objects; None if there is none."""
    newest: datetime | None = None
    written = ""  # most times repeat
    waiting: list[Any] = [*objects]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            for name, value in each.items():
                if isinstance(value, dict | list):
                    if name != "spec":  # what is requested has no times
                        waiting.append(value)
                elif name in _FIELDS and value != written and (at := fields.time(each, name)) is not None:
                    written = value
                    newest = at if newest is None else max(newest, at)
    return newest


def read_at(value: Any) -> datetime | timedelta | None:
    """Return a time, or one after the first creation (`3`, `90s`), as `at` gives it; None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(seconds=value) if 0 <= value <= LONGEST.total_seconds() else None
    if not isinstance(value, str):
        return None
    return fields.moment(value) or read_duration(value)


def read_duration(text: str) -> timedelta | None:
    """Return a duration such as `90s` or `15m`; None for another text, and for one that is too long."""
    try:
        found = to_timedelta(parse_duration(text.strip()))
    except InvalidDuration:
        return None
    return found if timedelta(0) <= found <= LONGEST else None
