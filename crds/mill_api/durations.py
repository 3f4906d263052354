"""Durations of resources in Go's notation, such as `1h30m` and `1.5s`: ours, and `metav1.Duration` of other kinds."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Final

LONGEST: Final = timedelta(days=36_525)
"""100 years: more than any timer in the cluster can count on, and well within what points in time can hold."""

_NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # the sign for micro
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
}
_PART: Final = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?(?P<unit>[nuµμm]?s|[mh])")
_LONGEST_NANOSECONDS: Final = LONGEST // timedelta(microseconds=1) * 1_000
_MOST_DIGITS: Final = 20
"""Of a whole number; with one more it is too long in any unit. Digits behind as many decimal places do not count."""


def to_timedelta(text: str) -> timedelta:
    """Read a duration, to the microsecond. What is longer than `LONGEST` counts as `LONGEST`.

    Raises ValueError if it is none. What has passed the schema's pattern is one, whatever its length.
    """
    nanoseconds = max(-_LONGEST_NANOSECONDS, min(_read(text), _LONGEST_NANOSECONDS))
    return timedelta(microseconds=round(Fraction(nanoseconds, 1_000)))


def is_too_long(text: str) -> bool:
    """Tell whether a duration is longer than `LONGEST`."""
    return _read(text) > _LONGEST_NANOSECONDS


def _read(text: str) -> int:
    """Return nanoseconds. A part that is far too long counts as more than `LONGEST`."""
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    total, at = 0, 0
    while at < len(unsigned):
        part = _PART.match(unsigned, at)
        if part is None or not (part["whole"] or part["fraction"]):
            break
        unit, whole = _NANOSECONDS[part["unit"]], part["whole"].lstrip("0")
        fraction = (part["fraction"] or "")[:_MOST_DIGITS]
        if len(whole) > _MOST_DIGITS:
            whole = "1" + "0" * _MOST_DIGITS
        total += int(whole or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        at = part.end()
    if at < len(unsigned) or not unsigned:
        if unsigned == "0":
            return 0
        raise ValueError("not a duration in Go's notation, such as 1h30m")
    return -total if text.startswith("-") else total
