"""Values of a wrong type or form: how a message names them, and how the original does on the wire.

Clients of the original read its texts (`invalid type: string "1", expected f64`), so the gateway's `error` keeps them.
People read plain English instead.
"""

import re
from typing import Final, NamedTuple

from mill_api.constraints import shown
from mill_api.quantities import quoted
from mill_api.reference_advice import advise, declare
from mill_language.source import Span
from mill_language.strings import InvalidString, Text
from mill_language.syntax import Constant, Expression, Number, Sequence, Value

VARIABLE: Final = re.compile(r"var\.([A-Za-z0-9_-]+)")
"""A reference to a variable without quotes."""

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Wrong(Exception):
    """A value that is refused: why, what to do, and whether it could not even be read."""

    def __init__(
        self,
        message: str,
        advice: str | None = None,
        *,
        wire: str | None = None,
        parse_error: bool = False,
        span: Span | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.wire = wire
        """The original's text, where it is another."""
        self.parse_error = parse_error
        self.span = span
        """Which part of the value, if not all of it."""


class Expected(NamedTuple):
    """A type, in plain words and in the original's."""

    plain: str
    wire: str


STRING: Final = Expected("a string", "a string")
BOOLEAN: Final = Expected("true or false", "a boolean")
CORES: Final = Expected("a number", "f64")
LIST: Final = Expected("a list of strings", "a sequence")
TABLE: Final = Expected("a block", "a map")

_WITHOUT_QUOTES: Final = frozenset({BOOLEAN.plain, CORES.plain, "a whole number"})
"""What a variable without quotes may stand for, and a string may not."""


def whole_number(kind: str) -> Expected:
    """Return the type of whole numbers that the original has as `kind`."""
    return Expected("a whole number", kind)


def block(name: str) -> Expected:
    """Return the type of a kind of block."""
    return Expected("a block", "struct RawHealthCheck" if name == "health" else f"struct Raw{name.capitalize()}Def")


def wrong_type(value: Value, expected: Expected, advice: str | None = None) -> Wrong:
    """Return the refusal of a value of another type than expected."""
    if isinstance(value, Expression):
        if variable := VARIABLE.fullmatch(value.text):
            advice = declare(variable[1])
        elif advice is None or value.text.startswith("local."):  # Terraform's own variables
            advice = expression_advice(value)
    if isinstance(value, Text) and value.inserted and not value.bare and expected.plain in _WITHOUT_QUOTES:
        advice = "write the variable without quotes and braces: var.NAME"
    wire = f"invalid type: {_wire_type(value)}, expected {expected.wire}"
    message = f"expected {expected.plain}, got {describe(value)}"
    return Wrong(message, advice, wire=wire, parse_error=True, span=value.span)


def expression_advice(value: Expression) -> str:
    """Return what to write instead of an expression where a text is expected."""
    if _BARE.fullmatch(value.text):
        return f'write text in quotes: "{shown(value.text)}"'
    advice = advise(value.text)
    return advice.help if advice is not None else "write the value itself: expressions are not evaluated"


def describe(value: Value) -> str:
    """Name a value in a message: `the string "1"`, `null`, `a list`."""
    match value:
        case Text():
            return f"the string {quoted(shown(plain_text(value)))}"
        case Number(text=text):
            return f"the number {shown(text)}"
        case Constant(value=constant):
            return {True: "true", False: "false", None: "null"}[constant]
        case Sequence():
            return "a list"
        case Expression(text=text):
            return f"the expression `{shown(' '.join(text.split()))}`"
        case _:
            return "an object"


def _wire_type(value: Value) -> str:
    """Name a value's type as the original does."""
    match value:
        case Text():
            return f"string {quoted(shown(plain_text(value)))}"
        case Number(text=text):
            kind = "floating point" if "." in text or "e" in text.lower() else "integer"
            return f"{kind} `{shown(text)}`"
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


def plain_text(value: Text) -> str:
    """Decode a string in which references are text. Raises Wrong."""
    try:
        return value.plain()
    except InvalidString as error:
        raise Wrong(str(error), parse_error=True) from None
