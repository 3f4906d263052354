"""Times as Kubernetes writes them, as text. Nothing here reads a clock."""

from datetime import UTC, datetime, timedelta
from typing import Final

CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""Largest assumed difference of two clocks. Times that differ by more have that order, whatever the clocks."""


def parse(text: str) -> datetime:
    """Read an RFC 3339 time."""
    return datetime.fromisoformat(text)


def unless_ahead(text: str | None, now: datetime) -> datetime | None:
    """Read a time of a status; None if there is none, or if the clock that it comes from was ahead of all others."""
    moment = parse(text) if text else None
    return moment if moment is not None and moment <= now + CLOCKS_DIFFER else None


def render(moment: datetime) -> str:
    """Write a time with milliseconds, as in `2026-01-31T12:00:00.250Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
