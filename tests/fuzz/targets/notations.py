"""Quantities, durations, references and ids: short texts with a grammar."""

import random
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from mill_api.dependencies import dependencies
from mill_api.durations import InvalidDuration, normalize_duration, parse_duration, to_timedelta
from mill_api.events import parse_id
from mill_api.fields import QUANTITY
from mill_api.quantities import InvalidQuantity, bytes_of, normalize_cpu, normalize_size, parse_cpu, parse_size
from mill_api.references import InvalidValue, ServiceRef, format_value, parse_value
from tests.fuzz.target import Target
from tests.fuzz.texts import odd, text

LARGEST: Final = 2**63 - 1
"""The largest quantity of Kubernetes."""
_DURATION: Final = re.compile(r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
_UNITS: Final = (
    *("k", "Ki", "M", "Mi", "G", "Gi", "T", "E", "Ei", "m", "u", "n", "b", "kb", "KiB", "e3", "E-3", "e99", "i"),
    *("ns", "us", "µs", "ms", "s", "sec", "min", "h", "d", "days", "w", "M", "y", "years", "hour"),
)


def _number(rng: random.Random) -> str:
    whole = str(rng.choice((0, 1, 9, 10, 1023, 1024, 2**63 - 1, 2**63, 10**20, rng.randrange(10**6))))
    return rng.choice(
        (whole, whole, f"{whole}.{rng.randrange(1000)}", f".{rng.randrange(1000)}", f"{whole}.", f"+{whole}")
    )


def _amount(rng: random.Random) -> str:
    parts = (rng.choice((_number(rng), rng.choice(_UNITS), " ", odd(rng), "")) for _ in range(rng.randint(0, 5)))
    return "".join(parts) if rng.random() < 0.5 else f"{_number(rng)}{rng.choice(('', ' '))}{rng.choice(_UNITS)}"


def _sizes(value: str) -> None:
    """Check that a size of a `.mill` file becomes a quantity in normal form, or is refused."""
    try:
        size = parse_size(value)
    except InvalidQuantity:
        return
    assert re.fullmatch(QUANTITY, size)
    assert bytes_of(normalize_size(size)) == bytes_of(size) <= LARGEST


def _quantities(value: str) -> None:
    """Check that a quantity has a normal form of the same amount, or is refused."""
    if re.fullmatch(QUANTITY, value) and len(value) <= 32:
        for normal in (normalize_size, normalize_cpu):
            try:
                found = normal(value)
            except InvalidQuantity:
                continue
            amount = bytes_of(found)
            assert amount > LARGEST or bytes_of(normal(found)) == amount
    try:
        cores = parse_cpu(Decimal(value))
    except (InvalidQuantity, InvalidOperation):
        return
    assert normalize_cpu(cores) == cores


def _durations(value: str) -> None:
    """Check that a duration of a `.mill` file becomes one of the resource in normal form, or is refused."""
    try:
        duration = parse_duration(value)
    except InvalidDuration:
        return
    assert _DURATION.fullmatch(duration)
    assert normalize_duration(duration) == duration
    assert to_timedelta(duration).total_seconds() >= 0


def _references(value: str) -> None:
    """Check that a value has parts that make a value with the same parts, or is refused."""
    try:
        parts = parse_value(value)
    except InvalidValue:
        return
    assert parse_value(format_value(parts)) == parts


class _Dependent(NamedTuple):
    name: str
    env: Mapping[str, str]
    command: Sequence[str] | None
    args: Sequence[str] | None
    contents: Sequence[str]
    after: Sequence[str]


def _dependencies(value: str) -> None:
    """Check that a value refers to other services of the spec alone, each once, and to what it names in braces."""
    names = ("a", "db", "web")
    services = [
        _Dependent(name, {"V": value} if name == "web" else {}, [value], None, [value], value.split(","))
        for name in names
    ]
    found = dependencies(services, "shop")
    for name, each in found.items():
        for others in (each.refers_to, each.after):
            assert list(others) == sorted(set(others) & set(names) - {name})
    may_be_a_cycle = "web" in value.split(",")  # then each service starts after `web`
    try:
        is_named = ServiceRef("db") in parse_value(value)
    except InvalidValue:
        is_named = False
    assert may_be_a_cycle or not is_named or "db" in found["web"].refers_to


def _ids(value: str) -> None:
    """Check that the id of an event has three parts, or is refused."""
    try:
        uid, rollout, position = parse_id(value)
    except ValueError:
        return
    assert uid.isascii()
    assert rollout.isascii()
    assert position >= 0


def _reference_text(rng: random.Random) -> str:
    return text(rng, ("${", "}", "$", "$${", "secret(", ")", "service.", ".address", "a", "${secret(a)}", "{"), 10)


def _address_text(rng: random.Random) -> str:
    pieces = ("a", "db", "web", ":", "5432", "//", "@", "/", ",", " ", ".", "shop", ".svc", "${secret(x)}", "?", "$${")
    return text(rng, (*pieces, "${service.db.address}", "redis://", "jdbc:postgresql://u:p@"), 8)


def _id_text(rng: random.Random) -> str:
    return text(
        rng, ("8ffa93a4", ".", "2", "12.", "end", "7", "-", "a1b2c3d4e5", "8ffa93a4.2.7", "8ffa93a4.2-x.end"), 6
    )


TARGETS: Final = (
    Target("sizes", _amount, _sizes),
    Target("quantities", _amount, _quantities),
    Target("durations", _amount, _durations),
    Target("references", _reference_text, _references),
    Target("dependencies", _address_text, _dependencies),
    Target("event-ids", _id_text, _ids),
)
