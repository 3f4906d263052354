"""Durations as `.mill` files write them (`90 sec`, `1h 30min`, `2 days`), and as the resource does (`1h30m`)."""

import re
from datetime import timedelta
from typing import Final

from mill_api.durations import LONGEST, is_too_long

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
_LONGEST: Final = LONGEST // timedelta(microseconds=1) * 1_000
TOO_LONG: Final = f"longer than {LONGEST // timedelta(days=365.25)} years"

# A number may have spaces between its digits, as in the original: `1 0s` is ten seconds.
_NUMBER: Final = re.compile(r"\s*([0-9](?:[0-9\s]*[0-9])?)\s*(?:\.([0-9]+))?\s*", re.ASCII)
_LETTERS: Final = re.compile(r"[a-zA-Zµ]*")
_GO_PART: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?(ms|s|m|h)")


class InvalidDuration(ValueError):
    """A duration that cannot be read."""


def parse_duration(text: str) -> str:
    """Convert a `.mill` duration to Go's notation. Raises InvalidDuration, with the original's words."""
    try:
        nanoseconds = 0 if text == "0" else _nanoseconds(text)
    except InvalidDuration as error:
        raise InvalidDuration(f"invalid duration '{text}': {error}") from None
    return format_duration(nanoseconds)


def format_duration(nanoseconds: int) -> str:
    """Write a duration in Go's notation, without parts that are zero: `1h30m`, `1.5s`, `250ms`."""
    if nanoseconds == 0:
        return "0s"
    minutes, rest = divmod(nanoseconds, _UNITS["min"])
    hours, minutes = divmod(minutes, 60)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if rest >= _UNITS["s"]:
        return f"{text}{_decimal(rest, 9)}s"
    return f"{text}{_decimal(rest, 6)}ms" if rest else text


def normalise(text: str) -> str:
    """Bring a duration of the resource, in Go's notation, to the form that `parse_duration` gives.

    What is longer than a file can say becomes the longest that it can say.
    """
    if is_too_long(text):
        return format_duration(_LONGEST)
    parts = _GO_PART.findall(text)
    return format_duration(sum(_scaled(whole, fraction, _UNITS[unit]) for whole, fraction, unit in parts))


def _nanoseconds(text: str) -> int:
    if not text.strip():
        raise InvalidDuration("value was empty")
    total, at = 0, 0
    while at < len(text):
        number = _NUMBER.match(text, at)
        if number is None:
            raise InvalidDuration(f"expected number at {_offset(text, at + _blanks(text, at))}")
        whole = re.sub(r"\s", "", number[1])
        unit = _LETTERS.match(text, number.end())
        name = unit[0] if unit else ""
        after = number.end() + len(name)
        following = text[after : after + 1]
        if following and not following.isspace() and not following.isdigit():
            raise InvalidDuration(f"invalid character at {_offset(text, after)}")
        if not name:
            raise InvalidDuration(f"time unit needed, for example {whole}sec or {whole}ms")
        if name not in _UNITS:
            raise InvalidDuration(f'unknown time unit "{name}", supported units: {_KNOWN}')
        total += _scaled(whole, number[2] or "", _UNITS[name])
        at = after + _blanks(text, after)
    if total > _LONGEST:
        raise InvalidDuration(TOO_LONG)
    return total


def _scaled(whole: str, fraction: str, unit: int) -> int:
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(whole) <= 20 and len(fraction) <= 20:
        scaled, lost = divmod(int(f"0{whole}{fraction}") * unit, int("1".ljust(len(fraction) + 1, "0")))
        if not lost:
            return scaled
    raise InvalidDuration(
        "number is too large or cannot be represented without a lack of precision (values below 1ns are not supported)"
    )


def _blanks(text: str, at: int) -> int:
    return len(text) - at - len(text[at:].lstrip())


def _offset(text: str, at: int) -> int:
    return len(text[:at].encode("utf-8", "surrogatepass"))


def _decimal(value: int, places: int) -> str:
    whole, fraction = divmod(value, 10**places)
    digits = f"{fraction:0{places}}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
