"""Ages in tables, as people read them: `45s`, `14m`, `3h`, `2d`. Pure; times are arguments."""

from datetime import datetime
from typing import Final

_UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60))


def age(since: object, now: float | None) -> str:
    """Return how long ago a time was, in its largest whole unit; empty if that is not known.

    `since` is a time as the gateway writes it, `now` the gateway's time in seconds since 1970.
    """
    if now is None or not isinstance(since, str):
        return ""
    try:
        elapsed = max(0, int(now - datetime.fromisoformat(since).timestamp()))
    except (ValueError, OverflowError):
        return ""
    return _largest_unit(elapsed)


def until(moment: object, now: float | None) -> str:
    """Return how far ahead a time is, as `age` does; `due` if it has passed."""
    if now is None or not isinstance(moment, str):
        return ""
    try:
        ahead = int(datetime.fromisoformat(moment).timestamp() - now)
    except (ValueError, OverflowError):
        return ""
    return "due" if ahead <= 0 else _largest_unit(ahead)


def _largest_unit(seconds: int) -> str:
    return next((f"{seconds // size}{unit}" for unit, size in _UNITS if seconds >= size), f"{seconds}s")
