"""References in environment values: `${secret(NAME)}` and `${service.NAME.address}`.

`parse_value` splits a text into parts, `format_value` joins them. The rules check values with it, and the operator
translates them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

OPEN: Final = "${"
ESCAPED_OPEN: Final = "$${"
"""The escape of a literal `${`."""
_OPENING: Final = re.compile(r"\$\$\{|\$\{([^}]*)(\})?")
"""An escaped opening, or a reference: the first group is its expression, the second its closing brace."""


class InvalidValue(ValueError):
    """A value whose references cannot be read."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The value of a secret."""

    name: str


@dataclass(frozen=True, slots=True)
class AddressRef:
    """Host and port of a service."""

    service: str


Part = Literal | SecretRef | AddressRef


def parse_value(text: str) -> tuple[Part, ...]:
    """Split a value into literal text and references, in their order.

    Two literals never follow each other, and the empty value has no parts. Takes time in proportion to the text's
    length. Raises InvalidValue.
    """
    if OPEN not in text:
        return (Literal(text),) if text else ()
    parts: list[Part] = []
    known: dict[str, Part] = {}
    literal = ""
    at = 0
    for found in _OPENING.finditer(text):
        literal += text[at : found.start()]
        at = found.end()
        expression: str | None = found[1]
        if expression is None:
            literal += OPEN
            continue
        if not found[2]:
            raise InvalidValue(f"unclosed interpolation in '{text}'")
        if literal:
            parts.append(Literal(literal))
            literal = ""
        reference = known.get(expression)
        if reference is None:
            reference = known[expression] = _reference(expression, text)
        parts.append(reference)
    literal += text[at:]
    if literal:
        parts.append(Literal(literal))
    return tuple(parts)


def format_value(parts: Iterable[Part]) -> str:
    """Write parts as one value: the inverse of `parse_value`."""
    return "".join(_format(part) for part in parts)


def _reference(expression: str, value: str) -> SecretRef | AddressRef:
    if expression.startswith("secret(") and expression.endswith(")"):
        name = expression.removeprefix("secret(").removesuffix(")").strip()
        if not name:
            raise InvalidValue(f"empty secret name in '{value}'")
        return SecretRef(name)
    # The length keeps `service.address` out, whose start and end overlap.
    prefix, suffix = "service.", ".address"
    if expression.startswith(prefix) and expression.endswith(suffix) and len(expression) >= len(prefix + suffix):
        name = expression.removeprefix(prefix).removesuffix(suffix)
        if not name:
            raise InvalidValue(f"empty service name in '{value}'")
        return AddressRef(name)
    raise InvalidValue(f"unknown interpolation '{OPEN}{expression}}}' in '{value}'")


def _format(part: Part) -> str:
    match part:
        case Literal(text):
            return text.replace(OPEN, ESCAPED_OPEN)
        case SecretRef(name):
            return f"${{secret({name})}}"
        case AddressRef(service):
            return f"${{service.{service}.address}}"
