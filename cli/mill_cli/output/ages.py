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
    return next((f"{elapsed // size}{unit}" for unit, size in _UNITS if elapsed >= size), f"{elapsed}s")
