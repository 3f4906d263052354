"""Readers of the values of identity, limits and place: more than one form each."""

import re
from typing import Final

from mill_api.constraints import GPUS, ID, MAX_ANNOTATION, MAX_KEY
from mill_api.place import NO_LIMIT, NVIDIA
from mill_language import values
from mill_language.refusals import LIST, STRING, Expected, Wrong, wrong_type
from mill_language.strings import Text
from mill_language.syntax import Attribute, Body, Constant, Number, Sequence, Value

_WHOLE: Final = Expected("a whole number", "u32")
_CORES_OR_NONE: Final = Expected('a number or "none"', "f64")
_COUNT: Final = values.integer("u32", GPUS)
_NUMERIC: Final = re.compile(r"[0-9]{1,10}")
_USER_AND_GROUP: Final = re.compile(r"([0-9]{1,10}):([0-9]{1,10})")
_NAME: Final = re.compile(r"[a-z_][-a-z0-9_]{0,31}")
_GPU_ADVICE: Final = 'write `gpu = 1`, or name the resource of the GPU: `gpu = { "amd.com/gpu" = 1 }`'


def _identity(name: str, option: str) -> values.Reader:
    """Return a reader of the number of a user or group, which says how to find it."""
    read_number = values.integer("u32", ID)

    def read(value: Value) -> object:
        if isinstance(value, Text) and not value.bare:
            raise wrong_type(value, _WHOLE, _number_of(values.text(value), name, option))
        return read_number(value)

    return read


def _number_of(found: str, name: str, option: str) -> str:
    """Return what to write instead of a name or a number in quotes."""
    if _NUMERIC.fullmatch(found):
        return f"write {name} = {found}, without quotes"
    if both := _USER_AND_GROUP.fullmatch(found):
        return f"write user = {both[1]}, and group = {both[2]} on a line of its own"
    who = f" {found}" if _NAME.fullmatch(found) else ""
    return f"write the number: `docker run --rm --entrypoint id IMAGE {option}{who}` prints it"


user: Final = _identity("user", "-u")
group: Final = _identity("group", "-g")


def cpu_limit(value: Value) -> str:
    """Read a number of cores, or the text "none"."""
    if isinstance(value, Text) and values.text(value) == NO_LIMIT:
        return NO_LIMIT
    if isinstance(value, Number) or (isinstance(value, Text) and value.bare):
        return values.cpu(value)
    advice = 'write a number of cores, without quotes, or "none" for all that are free on the node'
    raise wrong_type(value, _CORES_OR_NONE, advice)


def gpu(value: Value) -> dict[str, int]:
    """Read a number of GPUs, or numbers by the names of their resources."""
    if not isinstance(value, Body):
        is_named = isinstance(value, Text) and not value.bare and not _NUMERIC.fullmatch(values.text(value))
        if is_named or not isinstance(value, Number | Text):
            raise wrong_type(value, _WHOLE, _GPU_ADVICE)
        count = _COUNT(value)
        return {NVIDIA: count} if isinstance(count, int) else {}
    found: dict[str, int] = {}
    for item in value.items:
        if not isinstance(item, Attribute):
            raise Wrong("a GPU is a name and a number", _GPU_ADVICE, span=item.header)
        if item.name in found:
            raise Wrong(f"`{item.name[:MAX_KEY]}` is defined twice", span=item.name_span)
        try:
            count = _COUNT(item.value)
        except Wrong as wrong:
            message = wrong.message.replace("{name}", "gpu", 1)
            advice, wire, is_parse_error = wrong.advice, wrong.wire, wrong.parse_error
            raise Wrong(message, advice, wire=wire, parse_error=is_parse_error, span=item.value.span) from None
        if isinstance(count, int):
            found[item.name] = count
    return found


def label_value(value: Value) -> str:
    """Read the value of a label or annotation. Numbers and booleans are read as text; nothing in it is a reference."""
    match value:
        case Text():
            text = values.text(value)
        case Number(text=number):
            text = number
        case Constant(value=bool() as constant):
            text = "true" if constant else "false"
        case _:
            raise wrong_type(value, STRING)
    if len(text) > MAX_ANNOTATION:
        raise Wrong(f"longer than {MAX_ANNOTATION:,} characters")
    return text


def taint_keys(value: Value) -> list[str]:
    """Read a list of keys of taints."""
    if not isinstance(value, Sequence):
        raise wrong_type(value, LIST, 'write a list: ["gpu"]')
    return [values.text(item) for item in value.items]
