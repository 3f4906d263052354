"""References in environment values: `${secret(NAME)}` and `${service.NAME.address}`.

Pure text to parts, and back. The `.mill` parser checks values with it, the operator translates them with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

OPEN: Final = "${"
ESCAPED_OPEN: Final = "$${"
"""What stands for a literal `${`."""


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

    Two literals never follow each other, and the empty value has no parts. Raises InvalidValue.
    """
    parts: list[Part] = []
    literal: list[str] = []
    at = 0
    while (found := text.find(OPEN, at)) >= 0:
        if found > at and text[found - 1] == "$":
            literal.append(text[at : found - 1] + OPEN)
            at = found + len(OPEN)
            continue
        end = text.find("}", found)
        if end < 0:
            raise InvalidValue(f"unclosed interpolation in '{text}'")
        literal.append(text[at:found])
        if joined := "".join(literal):
            parts.append(Literal(joined))
        literal.clear()
        parts.append(_reference(text[found + len(OPEN) : end], text))
        at = end + 1
    literal.append(text[at:])
    if joined := "".join(literal):
        parts.append(Literal(joined))
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
