"""Readers of attribute values: from a syntax node to what the spec holds, or `Wrong`, with the original's words."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from mill_api.constraints import HEALTH_PATH, MAX_COMMAND, MAX_TEXT, PATH, Range, TextRule
from mill_api.durations import InvalidDuration, parse_duration
from mill_api.quantities import InvalidQuantity, parse_cpu, parse_size, quoted
from mill_language.source import Span
from mill_language.strings import InvalidString, Text
from mill_language.syntax import Constant, Expression, Number, Sequence, Value

_MOST_DIGITS: Final = 30
_LONGEST_SHOWN: Final = 100


class Wrong(Exception):
    """A value that is refused: why, what to do, and whether it could not even be read."""

    def __init__(
        self, message: str, advice: str | None = None, *, parse_error: bool = False, span: Span | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.parse_error = parse_error
        self.span = span
        """Which part of the value, if not all of it."""


Reader = Callable[[Value], object]


def describe(value: Value) -> str:
    """Name a value's type as the original does."""
    match value:
        case Text():
            return f"string {quoted(_short(_plain(value)))}"
        case Number(text=text):
            number = _number(text)
            whole = number is not None and "." not in text and "e" not in text.lower()
            return f"integer `{_short(text)}`" if whole else f"floating point `{_short(text)}`"
        case Constant(value=None):
            return "unit value"
        case Constant(value=constant):
            return f"boolean `{'true' if constant else 'false'}`"
        case Sequence():
            return "sequence"
        case Expression(kind=kind):
            return kind
        case _:
            return "map"


def invalid_type(value: Value, expected: str, advice: str | None = None) -> Wrong:
    """Say that a value has the wrong type."""
    if isinstance(value, Expression) and advice is None:
        advice = "expressions are not evaluated: write the value itself"
    message = f"invalid type: {describe(value)}, expected {expected}"
    return Wrong(message, advice, parse_error=True, span=value.span)


def text(value: Value) -> str:
    """Read a string. References are text everywhere but in `env`."""
    if not isinstance(value, Text):
        raise invalid_type(value, "a string")
    return _plain(value)


def absolute_path(value: Value) -> str:
    """Read a path that starts with a slash."""
    return _by_rule(PATH, text(value))


def health_path(value: Value) -> str:
    """Read the path of a health check."""
    return _by_rule(HEALTH_PATH, text(value))


def boolean(value: Value) -> bool:
    """Read `true` or `false`."""
    if isinstance(value, Constant) and value.value is not None:
        return value.value
    raise invalid_type(value, "a boolean", "write true or false, without quotes")


def integer(kind: str, limits: Range) -> Reader:
    """Make a reader for whole numbers; `kind` is the original's type."""
    largest = {"u16": 2**16 - 1, "u32": 2**32 - 1}[kind]

    def read(value: Value) -> int:
        number = _number(value.text) if isinstance(value, Number) else None
        if not isinstance(value, Number) or number is None:
            raise invalid_type(value, kind, "write a whole number, without quotes")
        if number != number.to_integral_value():
            raise invalid_type(value, kind, "write a whole number")
        if not 0 <= number <= largest:
            message = f"invalid value: integer `{_short(value.text)}`, expected {kind}"
            raise Wrong(message, f"at least {limits.least}, at most {limits.most}", parse_error=True)
        if number < limits.least:
            raise Wrong(f"{{name}} must be greater than {limits.least - 1}")
        if number > limits.most:
            raise Wrong(f"{{name}} must be at most {limits.most}")
        return int(number)

    return read


def cpu(value: Value) -> str:
    """Read a number of cores."""
    number = _number(value.text) if isinstance(value, Number) else None
    if number is None:
        raise invalid_type(value, "f64", "write a number of cores, without quotes: 0.5 is half a core")
    try:
        return parse_cpu(number)
    except InvalidQuantity as error:
        raise Wrong(str(error)) from None


def size(value: Value) -> str:
    """Read a size."""
    try:
        return parse_size(_bounded(_wrapped(value), 1000))
    except InvalidQuantity as error:
        raise Wrong(str(error), 'write a number and a unit, in quotes: "512M" or "1.5Gi"') from None


def volume_size(value: Value) -> str:
    """Read the size of a volume."""
    read = size(value)
    if read == "0":
        raise Wrong("size must be greater than 0")
    return read


def duration(value: Value) -> str:
    """Read a duration."""
    try:
        return parse_duration(_bounded(_wrapped(value), 1000))
    except InvalidDuration as error:
        raise Wrong(str(error), 'write numbers and units, in quotes: "10s" or "1h 30m"') from None


def strings(value: Value) -> list[str]:
    """Read a list of strings."""
    if not isinstance(value, Sequence):
        raise invalid_type(value, "a sequence", 'write a list: ["program", "argument"]')
    if len(value.items) > MAX_COMMAND:
        raise Wrong(f"more than {MAX_COMMAND} arguments")
    return [_bounded(text(item), MAX_TEXT) for item in value.items]


def env_value(value: Value) -> str:
    """Read a value of the environment. Numbers and booleans are their text, bare references are references."""
    match value:
        case Text():
            try:
                return _bounded(value.value(), MAX_TEXT)
            except InvalidString as error:
                raise Wrong(str(error), parse_error=True) from None
        case Number(text=number):
            return _bounded(number, MAX_TEXT)
        case Constant(value=bool() as constant):
            return "true" if constant else "false"
        case Sequence():
            raise invalid_type(value, "a string")
        case _:
            return _bounded(_wrapped(value), MAX_TEXT)


def _wrapped(value: Value) -> str:
    """Return a string, or what the original makes of anything else: its source in `${…}`."""
    match value:
        case Text():
            return _plain(value)
        case Number(text=source) | Expression(text=source):
            return f"${{{source}}}"
        case Constant(value=constant):
            return f"${{{ {True: 'true', False: 'false', None: 'null'}[constant] }}}"
        case _:
            raise invalid_type(value, "a string")


def _plain(value: Text) -> str:
    try:
        return value.plain()
    except InvalidString as error:
        raise Wrong(str(error), parse_error=True) from None


def _number(source: str) -> Decimal | None:
    """Read a number, if it is one that any field could hold."""
    mantissa, _, exponent = source.lower().partition("e")
    if len(mantissa.lstrip("-0")) > _MOST_DIGITS or len(exponent.lstrip("+-0")) > 2:
        return Decimal(10) ** 40 * (-1 if source.startswith("-") else 1) if not exponent.startswith("-") else Decimal(0)
    return Decimal(source)


def _by_rule(rule: TextRule, value: str) -> str:
    """Return a text that a rule accepts."""
    _bounded(value, rule.max_length)
    refusal = rule.refuse(value)
    if refusal is not None:
        raise Wrong(refusal.message, refusal.suggestion)
    return value


def _bounded(value: str, most: int) -> str:
    if len(value) > most:
        raise Wrong(f"longer than {most} characters")
    return value


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
