"""Durations of the resource, in Go's notation: `10s`, `1h30m`, `1.5s`."""

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def to_timedelta(text: str) -> timedelta:
    """Read a duration that has passed the schema's pattern."""
    parts = re.findall(r"([0-9.]+)(ms|s|m|h)", text)
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
