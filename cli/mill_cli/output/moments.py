"""Moments of a status, read tolerantly: it may come from another release."""

from datetime import datetime


def timestamp(moment: object) -> float | None:
    """Return a moment such as `2026-01-31T12:00:00.000Z` in seconds since 1970; None if it is none."""
    try:
        return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else None
    except (ValueError, OverflowError):
        return None


def seconds_until(moment: object, server_time: float | None) -> float | None:
    """Return the seconds from the gateway's time until a moment, negative for one that is over.

    None if one of both is not known. The clock of this machine may differ from the gateway's.
    """
    found = timestamp(moment)
    return None if found is None or server_time is None else found - server_time
