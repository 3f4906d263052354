"""References: `${secret(NAME)}` and `${service.NAME.address}`, `.host`, `.port` and `.url`, and of a named port
`${service.NAME.PORT.address}` and `.port`.

`parse_value` splits a value of an environment into parts, `format_value` joins them. The rules check values with it,
and the operator translates them. A part of a command, or an argument, is text in which only what is exactly a reference
is one, since a shell may expand every other `${…}`: `parse_word` splits it, `format_word` joins it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mill_api.constraints import shown

OPEN: Final = "${"
ESCAPED_OPEN: Final = "$${"
"""The escape of a literal `${`."""
_OPENING: Final = re.compile(r"\$\$\{|\$\{([^}]*)(\})?")
"""An escaped opening, or a reference: the first group is its expression, the second its closing brace."""


class InvalidValue(ValueError):
    """A value whose references cannot be read."""

    def __init__(self, message: str, *, expression: str | None = None, wire: str | None = None) -> None:
        super().__init__(message)
        self.expression = expression
        """What is no reference, if that is the problem."""
        self.wire = wire
        """The original's text, where it is another."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The value of a secret."""

    name: str


class Attribute(StrEnum):
    """What a reference to a service stands for."""

    ADDRESS = "address"
    HOST = "host"
    PORT = "port"
    URL = "url"


MEANINGS: Final[Mapping[Attribute, str]] = {
    Attribute.ADDRESS: "Host and port of a service inside the cluster.",
    Attribute.HOST: "Host of a service inside the cluster.",
    Attribute.PORT: "Port of a service.",
    Attribute.URL: "URL of a service outside the cluster: `https://`, and host and path of its first route whose host "
    "has no `*`, without a slash at the end.",
}
"""What each attribute means, for the documentation."""
MEANINGS_OF_PORTS: Final[Mapping[Attribute, str]] = {
    Attribute.ADDRESS: "Host and number of a service's named port inside the cluster.",
    Attribute.PORT: "Number of a service's named port.",
}


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """A service of the same file, by one of its attributes."""

    service: str
    attribute: Attribute = Attribute.ADDRESS
    port: str | None = None
    """The name of a port; None for the main one."""


Part = Literal | SecretRef | ServiceRef

_KNOWN: Final[Mapping[str, Attribute]] = {each.value: each for each in Attribute}
_OF_PORTS: Final = tuple(MEANINGS_OF_PORTS)
_ATTRIBUTES: Final = rf"{'|'.join(Attribute)}|[-a-z0-9]{{1,15}}\.(?:{'|'.join(_OF_PORTS)})"
_WORD: Final = re.compile(
    rf"(?<!\$)(\$+)\{{(secret\([-._a-zA-Z0-9]{{1,253}}\)|service\.[-a-z0-9]{{1,63}}\.(?:{_ATTRIBUTES}))\}}"
)
"""What is exactly a reference, and the dollars before it: two or more escape it, and one of them is left out."""
_ALMOST: Final = re.compile(r"(?<!\$)\$\{((?:secret\(|service\.)[^}]{0,1000})(\})?")
"""What begins as a reference does."""


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


def parse_word(text: str) -> tuple[Part, ...]:
    """Split a part of a command, or an argument, into text and references. Every text has parts."""
    if OPEN not in text:
        return (Literal(text),) if text else ()
    parts: list[Part] = []
    literal = ""
    at = 0
    for found in _WORD.finditer(text):
        dollars, expression = found.groups()
        literal += text[at : found.start()]
        at = found.end()
        if len(dollars) > 1:
            literal += f"{dollars[1:]}{{{expression}}}"
            continue
        if literal:
            parts.append(Literal(literal))
            literal = ""
        parts.append(_reference(expression, text))
    literal += text[at:]
    if literal:
        parts.append(Literal(literal))
    return tuple(parts)


def format_word(parts: Iterable[Part]) -> str:
    """Write parts as one part of a command: the inverse of `parse_word`."""
    return "".join(escape_word(part.text) if isinstance(part, Literal) else _format(part) for part in parts)


def escape_word(text: str) -> str:
    """Return a part of a command that stands for a text without references."""
    return _WORD.sub(r"$\g<0>", text)


def broken_references(text: str) -> Iterator[InvalidValue]:
    """Yield what begins as a reference in a part of a command, and is none."""
    for found in _ALMOST.finditer(text):
        if found[2] is None:
            yield InvalidValue(f"unclosed interpolation in '{shown(text)}'")
        elif _WORD.fullmatch(found[0]) is None:
            yield _why_broken(found[1], text)


def _why_broken(expression: str, text: str) -> InvalidValue:
    try:
        _reference(expression, text)
    except InvalidValue as error:
        return error
    return _unknown(expression, text)


def _reference(expression: str, value: str) -> SecretRef | ServiceRef:
    if expression.startswith("secret(") and expression.endswith(")"):
        name = expression.removeprefix("secret(").removesuffix(")").strip()
        if not name:
            raise InvalidValue(f"empty secret name in '{value}'")
        return SecretRef(name)
    of, has_name, last = expression.removeprefix("service.").rpartition(".")
    attribute = _KNOWN.get(last)
    # `service.address` has no dot after the prefix, and `service..address` no name.
    if attribute is not None and has_name and expression.startswith("service."):
        service, dot, port = of.partition(".")
        if not service:
            raise InvalidValue(f"empty service name in '{value}'")
        if not dot:
            return ServiceRef(service, attribute)
        if port and attribute in _OF_PORTS:
            return ServiceRef(service, attribute, port)
    raise _unknown(expression, value)


def _unknown(expression: str, value: str) -> InvalidValue:
    whole = f"{OPEN}{expression}}}"
    wire = f"unknown interpolation '{whole}' in '{value}'"
    place = "" if value == whole else f" in '{shown(value)}'"
    return InvalidValue(f"unknown reference '{shown(whole)}'{place}", expression=expression, wire=wire)


def _format(part: Part) -> str:
    match part:
        case Literal(text):
            return text.replace(OPEN, ESCAPED_OPEN)
        case SecretRef(name):
            return f"${{secret({name})}}"
        case ServiceRef(service, attribute, port):
            return f"${{service.{service}.{attribute if port is None else f'{port}.{attribute}'}}}"
