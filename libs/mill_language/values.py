"""Readers of attribute values: each converts a syntax node to the value of a field, or raises `Wrong`."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Final

from mill_api.constraints import MAX_COMMAND, MAX_FILE_BYTES, MAX_TEXT, Range, TextRule, shown
from mill_api.durations import InvalidDuration, parse_duration
from mill_api.quantities import InvalidQuantity, parse_cpu, parse_size, quoted
from mill_api.references import InvalidValue, parse_value
from mill_api.text_rules import FILE_MODE, HEALTH_PATH, PATH, SECRET_NAME
from mill_language.inputs import MAX_VALUE
from mill_language.refusals import (
    BOOLEAN,
    CORES,
    LIST,
    STRING,
    Wrong,
    describe,
    expression_advice,
    plain_text,
    whole_number,
    wrong_type,
)
from mill_language.strings import InvalidString, Text
from mill_language.syntax import Constant, Expression, Number, Sequence, Value

_MOST_DIGITS: Final = 30
_LONGEST_NOTATION: Final = 1000
"""Characters of a size or a duration."""


_LONGEST_NAME: Final = 1024
"""Characters of the name of a file or of a shared environment."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,10})?")

Reader = Callable[[Value], object]


def text(value: Value) -> str:
    """Read a string. References are plain text except in `env`."""
    if not isinstance(value, Text):
        raise wrong_type(value, STRING)
    return plain_text(value)


def absolute_path(value: Value) -> str:
    """Read a path that starts with a slash."""
    return _checked(PATH, text(value))


def health_path(value: Value) -> str:
    """Read the path of a health check."""
    return _checked(HEALTH_PATH, text(value))


def boolean(value: Value) -> bool:
    """Read `true` or `false`."""
    value = _bare(value)
    if isinstance(value, Constant) and value.value is not None:
        return value.value
    raise wrong_type(value, BOOLEAN, "write true or false, without quotes")


def integer(kind: str, limits: Range) -> Reader:
    """Return a reader of whole numbers; `kind` is the original's type, which bounds what it can read at all."""
    expected = whole_number(kind)
    largest = {"u16": 2**16 - 1, "u32": 2**32 - 1}[kind]

    def read(value: Value) -> int:
        value = _bare(value)
        number = _number(value.text) if isinstance(value, Number) else None
        if not isinstance(value, Number) or number is None:
            raise wrong_type(value, expected, "write a whole number, without quotes")
        if number != number.to_integral_value():
            raise wrong_type(value, expected)
        if not 0 <= number <= largest:
            message = f"expected a whole number from {limits.least} to {limits.most}, got {shown(value.text)}"
            wire = f"invalid value: integer `{shown(value.text)}`, expected {kind}"
            raise Wrong(message, wire=wire, parse_error=True)
        if number < limits.least:
            raise Wrong(f"{{name}} must be greater than {limits.least - 1}")
        if number > limits.most:
            raise Wrong(f"{{name}} must be at most {limits.most}")
        return int(number)

    return read


def choice(*words: str) -> Reader:
    """Return a reader of one of some words."""
    known = " or ".join(f'"{word}"' for word in words)

    def read(value: Value) -> str:
        found = text(value)
        if found not in words:
            raise Wrong(f"{{name}} must be {known}, got {quoted(shown(found))}")
        return found

    return read


def cpu(value: Value) -> str:
    """Read a number of cores."""
    value = _bare(value)
    number = _number(value.text) if isinstance(value, Number) else None
    if number is None:
        raise wrong_type(value, CORES, "write a number of cores, without quotes: 0.5 is half a core")
    try:
        return parse_cpu(number)
    except InvalidQuantity as error:
        raise Wrong(str(error)) from None


def size(value: Value) -> str:
    """Read a size."""
    try:
        return parse_size(_bounded(_wrapped(value), _LONGEST_NOTATION))
    except InvalidQuantity as error:
        advice = 'write a number and a unit, in quotes: "512M" or "1.5Gi"'
        raise _invalid_notation(value, error.plain, str(error), advice) from None


def volume_size(value: Value) -> str:
    """Read the size of a volume."""
    read = size(value)
    if read == "0":
        raise Wrong("size must be greater than 0")
    return read


def duration(value: Value) -> str:
    """Read a duration."""
    try:
        return parse_duration(_bounded(_wrapped(value), _LONGEST_NOTATION))
    except InvalidDuration as error:
        advice = 'write numbers and units, in quotes: "10s" or "1h 30m"'
        raise _invalid_notation(value, error.plain, str(error), advice) from None


def command(value: Value) -> list[str]:
    """Read a command: a list of strings, in which what is exactly a reference is one. All else is as it always was."""
    return _words(value, as_plain=True)


def arguments(value: Value) -> list[str]:
    """Read arguments: a list of strings, in which what is exactly a reference is one, and `$${` is always `${`."""
    return _words(value, as_plain=False)


def _words(value: Value, *, as_plain: bool) -> list[str]:
    if not isinstance(value, Sequence):
        raise wrong_type(value, LIST, 'write a list: ["program", "argument"]')
    if len(value.items) > MAX_COMMAND:
        raise Wrong(f"more than {MAX_COMMAND} arguments")
    return [_bounded(_word(item, as_plain=as_plain), MAX_TEXT) for item in value.items]


def _word(value: Value, *, as_plain: bool) -> str:
    """Read a string in which references stay as they are written, and an escaped one stays escaped."""
    if not isinstance(value, Text):
        raise wrong_type(value, STRING)
    try:
        return value.word(as_plain=as_plain)
    except InvalidString as error:
        raise Wrong(str(error), parse_error=True) from None


def file_content(value: Value) -> str:
    """Read the text of a file, in which what is exactly a reference is one, and `$${` is always `${`."""
    return _bounded(_word(value, as_plain=False), MAX_FILE_BYTES)


def file_name(value: Value) -> str:
    """Read the name of a file beside the `.mill` file. Whether there is such a file is decided later."""
    return _bounded(text(value), _LONGEST_NAME)


def file_mode(value: Value) -> str:
    """Read the mode of a file."""
    if not isinstance(value, Text):
        raise wrong_type(value, STRING, FILE_MODE.suggestion if isinstance(FILE_MODE.suggestion, str) else None)
    return _checked(FILE_MODE, text(value))


def secret_name(value: Value) -> str:
    """Read the name of a secret, which stands for its value."""
    if not isinstance(value, Text) or any(template for _, template in value.parts):
        raise wrong_type(value, STRING, 'write the name alone: secret = "db.password"')
    return _checked(SECRET_NAME, text(value))


def service_names(value: Value) -> list[str]:
    """Read a list of names. Whether services have them, and how many there may be, is a rule of the whole file."""
    if not isinstance(value, Sequence):
        raise wrong_type(value, LIST, 'write a list: ["db", "queue"]')
    return [text(item) for item in value.items]


def names(what: str) -> Reader:
    """Return a reader of a list of names. Whether there are such, and how many there may be, is decided later."""
    advice = {"environments": 'write a list: ["rails"]', "files": 'write a list: ["staging.env"]'}[what]

    def read(value: Value) -> list[str]:
        if not isinstance(value, Sequence):
            raise wrong_type(value, LIST, advice)
        return [_bounded(text(item), _LONGEST_NAME) for item in value.items]

    return read


def variable(value: Value) -> str:
    """Read the default of a variable, which is text."""
    if isinstance(value, Expression) or (isinstance(value, Text) and any(template for _, template in value.parts)):
        raise Wrong("the value of a variable is text", "write references such as ${secret(NAME)} where it is used")
    if isinstance(value, Constant) and value.value is None:
        raise wrong_type(value, STRING, "leave `default` out if every deploy has to give the value")
    return _bounded(text(value) if isinstance(value, Text) else env_value(value), MAX_VALUE)


def env_value(value: Value) -> str:
    """Read a value of the environment. Numbers and booleans are read as text, references also without quotes."""
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
            raise wrong_type(value, STRING)
        case Expression():
            return _reference(value)
        case _:
            return _bounded(_wrapped(value), MAX_TEXT)


def _reference(value: Expression) -> str:
    """Read a reference without quotes."""
    text = _bounded(_wrapped(value), MAX_TEXT)
    try:
        parse_value(text)
    except InvalidValue as error:
        if error.expression is None:
            return text  # which the rules refuse
        raise Wrong(f"expected a string, got {describe(value)}", expression_advice(value), wire=error.wire) from None
    return text


def _bare(value: Value) -> Value:
    """Return the number or boolean for which a variable without quotes stands; any other value as it is."""
    if not isinstance(value, Text) or not value.bare:
        return value
    given = value.plain()
    if given in ("true", "false"):
        return Constant(value.span, given == "true")
    return Number(value.span, given) if _NUMBER.fullmatch(given) else value


def _wrapped(value: Value) -> str:
    """Return a string; for any other value its source in `${…}`, as the original does."""
    match value:
        case Text():
            return plain_text(value)
        case Number(text=source) | Expression(text=source):
            return f"${{{source}}}"
        case Constant(value=constant):
            return f"${{{ {True: 'true', False: 'false', None: 'null'}[constant] }}}"
        case _:
            raise wrong_type(value, STRING)


def _invalid_notation(value: Value, plain: str, wire: str, advice: str) -> Wrong:
    """Return the refusal of a size or duration. A value without quotes is `${…}` on the wire, and named to people."""
    message = plain if isinstance(value, Text) else f"expected a string, got {describe(value)}"
    return Wrong(message, advice, wire=wire)


def _number(source: str) -> Decimal | None:
    """Return a number; a very large or very small one only approximately, since no field accepts it.

    None: in a file with an error of syntax, what begins like a number need not be one.
    """
    mantissa, _, exponent = source.lower().partition("e")
    if len(mantissa.lstrip("-0")) > _MOST_DIGITS or len(exponent.lstrip("+-0")) > 2:
        return Decimal(10) ** 40 * (-1 if source.startswith("-") else 1) if not exponent.startswith("-") else Decimal(0)
    try:
        return Decimal(source)
    except InvalidOperation:
        return None


def _checked(rule: TextRule, value: str) -> str:
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
