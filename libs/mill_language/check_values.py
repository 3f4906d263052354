"""Readers of the values of health checks and updates: more than one form each."""

from typing import Final

from mill_api.constraints import MAX_GRPC_SERVICE, PORT, shown
from mill_api.text_rules import PORT_NAME, SURGE
from mill_language import values
from mill_language.refusals import Expected, Wrong, wrong_type
from mill_language.strings import Text
from mill_language.syntax import Constant, Number, Value

_PORT: Final = values.integer("u16", PORT)
_SURGE: Final = Expected("a number of pods or a percentage", "string")
_GRPC: Final = Expected("true or the name of a gRPC service", "string")


def port(value: Value) -> str:
    """Read the number of a port, or the name of one. Whether a service has it is a rule of the whole service."""
    if isinstance(value, Text) and not value.bare:
        name = values.text(value)
        if len(name) > PORT_NAME.max_length:
            raise Wrong(f"'{shown(name)}' is not a port name", "write a number, or the name of a port block")
        return name
    return str(_PORT(value))


def grpc(value: Value) -> str | None:
    """Read `true`, which asks for the whole server, or the name of a service."""
    if isinstance(value, Text) and not value.bare:
        name = values.text(value)
        if len(name) > MAX_GRPC_SERVICE:
            raise Wrong(f"longer than {MAX_GRPC_SERVICE} characters")
        return name
    if isinstance(value, Constant | Text) and (value.value if isinstance(value, Constant) else True) is not None:
        return "" if values.boolean(value) else None
    raise wrong_type(value, _GRPC, 'write true, or a name in quotes: grpc = "shop.v1.Cart"')


def surge(value: Value) -> str:
    """Read a number of pods, or a percentage of the replicas."""
    if isinstance(value, Number):
        text = value.text
    elif isinstance(value, Text):
        text = values.text(value)
    else:
        raise wrong_type(value, _SURGE, 'write surge = 1, or surge = "25%"')
    if (refusal := SURGE.refuse(text)) is not None:
        raise Wrong(refusal.message, refusal.suggestion)
    return text
