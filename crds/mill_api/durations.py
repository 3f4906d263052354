"""Durations: as `.mill` files write them (`90 sec`, `1h 30min`) and in Go's notation (`1h30m`), as resources do.

Both share one table of units. They differ in their grammar: a file adds up numbers and words, blanks between them,
and must be exact; Go's notation is what has passed the schema, or what another kind's `metav1.Duration` holds.
"""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Final

LONGEST: Final = timedelta(days=36_525)
"""100 years: more than any timer in the cluster supports, and well within what points in time can hold."""
TOO_LONG: Final = f"longer than {LONGEST // timedelta(days=365.25)} years"

_LONGEST_NANOSECONDS: Final = LONGEST // timedelta(microseconds=1) * 1_000
_UNITS: Final[dict[str, int]] = {
    unit: nanoseconds
    for units, nanoseconds in (
        ("nanos nsec ns", 1),
        ("usec us µs", 1_000),
        ("millis msec ms", 1_000_000),
        ("seconds second secs sec s", 1_000_000_000),
        ("minutes minute min mins m", 60 * 1_000_000_000),
        ("hours hour hr hrs h", 3_600 * 1_000_000_000),
        ("days day d", 86_400 * 1_000_000_000),
        ("weeks week wk wks w", 604_800 * 1_000_000_000),
        ("months month M", 2_630_016 * 1_000_000_000),
        ("years year yr yrs y", 31_557_600 * 1_000_000_000),
    )
    for unit in units.split()
}
_KNOWN: Final = "ns, us/µs, ms, sec, min, hours, days, weeks, months, years (and few variations)"
_MOST_DIGITS: Final = 20
"""Significant digits of a whole number; one with more is too long in any unit."""

# A number may have blanks between its digits, as in the original: `1 0s` is ten seconds.
_NUMBER: Final = re.compile(r"\s*([0-9](?:[0-9\s]*[0-9])?)\s*(?:\.([0-9]+))?\s*", re.ASCII)
_LETTERS: Final = re.compile(r"[a-zA-Zµ]*")

_GO_UNITS: Final = {unit: _UNITS[unit] for unit in ("ns", "us", "µs", "ms", "s", "m", "h")} | {"μs": _UNITS["us"]}
"""Go takes both characters for *micro*: the micro sign and the Greek letter."""
_GO_PART: Final = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?(?P<unit>[nuµμm]?s|[mh])")


def _nanoseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1) * 1_000


class InvalidDuration(ValueError):
    """A text that is no duration in the expected notation.

    Its `str` is the original's text, which the gateway's answers keep; `plain` is for people.
    """

    def __init__(self, text: str, plain: str | None = None) -> None:
        super().__init__(text)
        self.plain = plain or text


def parse_duration(text: str) -> str:
    """Convert a `.mill` duration to Go's notation. Raises InvalidDuration."""
    try:
        nanoseconds = 0 if text == "0" else _read_mill(text)
    except InvalidDuration as error:
        prefix = f"invalid duration '{text}': "
        raise InvalidDuration(f"{prefix}{error}", f"{prefix}{error.plain}") from None
    return format_duration(nanoseconds)


def format_duration(nanoseconds: int) -> str:
    """Write a duration in Go's notation, without parts that are zero: `1h30m`, `1.5s`, `250ms`. At least 0."""
    if nanoseconds == 0:
        return "0s"
    minutes, rest = divmod(nanoseconds, _UNITS["min"])
    hours, minutes = divmod(minutes, 60)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if rest >= _UNITS["s"]:
        return f"{text}{_decimal(rest, 9)}s"
    return f"{text}{_decimal(rest, 6)}ms" if rest else text


def format_timedelta(duration: timedelta) -> str:
    """Write a duration in Go's notation, to the microsecond. At least 0."""
    return format_duration(_nanoseconds(duration))


def normalize_duration(text: str) -> str:
    """Convert a duration in Go's notation to the form that `parse_duration` returns, `LONGEST` at most.

    Raises InvalidDuration.
    """
    return format_duration(min(_read_go(text), _LONGEST_NANOSECONDS))


def to_timedelta(text: str) -> timedelta:
    """Read a duration in Go's notation, to the microsecond; `LONGEST` at most, in either direction.

    Raises InvalidDuration. A text that matches the schema's pattern is a duration, whatever its length.
    """
    nanoseconds = max(-_LONGEST_NANOSECONDS, min(_read_go(text), _LONGEST_NANOSECONDS))
    return timedelta(microseconds=round(Fraction(nanoseconds, 1_000)))


def is_longer(text: str, limit: timedelta) -> bool:
    """Whether a duration in Go's notation is longer than a limit, to the nanosecond. Raises InvalidDuration."""
    return _read_go(text) > _nanoseconds(limit)


def is_too_long(text: str) -> bool:
    """Whether a duration in Go's notation is longer than `LONGEST`. Raises InvalidDuration."""
    return is_longer(text, LONGEST)


def _read_go(text: str) -> int:
    """Return nanoseconds, fractions of them cut off as Go does. A part that is far too long exceeds `LONGEST`."""
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    total, at = 0, 0
    while at < len(unsigned):
        part = _GO_PART.match(unsigned, at)
        if part is None or not (part["whole"] or part["fraction"]):
            break
        unit, whole = _GO_UNITS[part["unit"]], part["whole"].lstrip("0")
        fraction = (part["fraction"] or "")[:_MOST_DIGITS]
        if len(whole) > _MOST_DIGITS:
            whole = "1" + "0" * _MOST_DIGITS
        total += int(whole or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        at = part.end()
    if at < len(unsigned) or not unsigned:
        if unsigned == "0":
            return 0
        raise InvalidDuration("not a duration in Go's notation, such as 1h30m")
    return -total if text.startswith("-") else total


def _read_mill(text: str) -> int:
    """Return nanoseconds, which must be a whole number."""
    if not text.strip():
        raise InvalidDuration("value was empty", "it is empty")
    total, at = 0, 0
    while at < len(text):
        number = _NUMBER.match(text, at)
        if number is None:
            at += _blanks(text, at)
            raise InvalidDuration(
                f"expected number at {_byte_offset(text, at)}", f"expected a number, got '{text[at : at + 20]}'"
            )
        whole = re.sub(r"\s", "", number[1])
        unit = _LETTERS.match(text, number.end())
        name = unit[0] if unit else ""
        after = number.end() + len(name)
        following = text[after : after + 1]
        if following and not following.isspace() and not following.isdigit():
            offset = _byte_offset(text, after)
            raise InvalidDuration(f"invalid character at {offset}", f"unexpected character '{following}'")
        if not name:
            raise InvalidDuration(
                f"time unit needed, for example {whole}sec or {whole}ms",
                f"a unit is missing, as in {whole}s or {whole}m",
            )
        if name not in _UNITS:
            raise InvalidDuration(
                f'unknown time unit "{name}", supported units: {_KNOWN}',
                f"unknown unit '{name}'; known are ns, us, ms, s, m, h, d, w, M (month) and y",
            )
        total += _exact(whole, number[2] or "", _UNITS[name])
        at = after + _blanks(text, after)
    if total > _LONGEST_NANOSECONDS:
        raise InvalidDuration(TOO_LONG)
    return total


def _exact(whole: str, fraction: str, unit: int) -> int:
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(whole) <= _MOST_DIGITS and len(fraction) <= _MOST_DIGITS:
        nanoseconds, lost = divmod(int(f"0{whole}{fraction}") * unit, int("1".ljust(len(fraction) + 1, "0")))
        if not lost:
            return nanoseconds
    raise InvalidDuration(
        "number is too large or cannot be represented without a lack of precision (values below 1ns are not supported)",
        "a number is too large, or finer than a nanosecond",
    )


def _blanks(text: str, at: int) -> int:
    return len(text) - at - len(text[at:].lstrip())


def _byte_offset(text: str, at: int) -> int:
    return len(text[:at].encode("utf-8", "surrogatepass"))


def _decimal(value: int, places: int) -> str:
    whole, fraction = divmod(value, 10**places)
    digits = f"{fraction:0{places}}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
