"""The text of docs/mill-file.md.

Attributes, forms, defaults, limits and messages come from the language and the models, so that an added one appears by
itself. This module has only the text around them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args

from mill_api.crd import limits, structural
from mill_api.durations import parse_duration
from mill_api.fields import ApiModel
from mill_api.quantities import bytes_of, cores_of, parse_size
from mill_api.references import MEANINGS, OPEN, Literal, SecretRef, ServiceRef, format_value
from mill_api.spec import MillDeploymentSpec
from mill_language import place_values, values
from mill_language.diagnostics import InvalidConfig
from mill_language.examples import EXAMPLES
from mill_language.parser import parse
from mill_language.pod_reference import PODS
from mill_language.reference_texts import (
    DURATIONS,
    HEADER,
    REFERENCES,
    REFERENCES_END,
    ROLLOUTS,
    ROUTES,
    SIZES,
    VALUES,
    VARIABLES,
)
from mill_language.samples import CONFLICTS, INVALID_TEXTS
from mill_language.schema import FILE, Attr, Nested, Row, Shape, Table, Tables, key_of
from mill_language.values import Reader

_SIZE_EXAMPLES: Final = ("512M", "512Mi", "1.5 GB", "1m", "4096")
_DURATION_EXAMPLES: Final = ("10s", "90 sec", "1h 30min", "1.5h", "2 days", "1M")

_NOTATIONS: Final[Mapping[Reader, str]] = {
    values.cpu: "number of cores",
    values.size: "[size](#sizes)",
    values.volume_size: "[size](#sizes)",
    values.duration: "[duration](#durations)",
    values.variable: "string, number or boolean",
    place_values.cpu_limit: 'number of cores, or "none"',
    place_values.gpu: "whole number, or object",
}
"""Values that a file writes in a notation of its own. The resource's limits apply to what they are converted to."""
_KINDS: Final = {"string": "string", "integer": "whole number", "boolean": "boolean", "array": "list of strings"}

_CODE: Final = re.compile(r"(`[^`]*`)|'(\$\{[^']*)'|\$+\{(?:[^ }]*\})?")
"""Code that is marked already; a value in quotes that begins with a reference; a reference."""

_HEAD: Final = ("attribute", "form", "default", "meaning and limits")

Facts = Mapping[str, Any]
"""A field's structural schema."""


def to_markdown() -> str:
    """Return the text of the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield HEADER
    yield "## Example\n"
    yield from _example("top level")
    yield "## Blocks\n"
    for block, model, depth in _blocks():
        yield from _resolved_block(block.shape, depth) if model is None else _block(block, model, depth)
        if block.shape is not FILE:
            yield from _example(block.shape.name)
    yield f"## Variables, shared environments, arguments and references\n\n{VARIABLES}"
    yield f"### References\n\n{REFERENCES}\n"
    yield from _table(("text", "value"), _references())
    yield f"{REFERENCES_END}\n"
    yield f"## Rollouts\n\n{ROLLOUTS}"
    yield f"## Routes\n\n{ROUTES}"
    yield f"## Pods\n\n{PODS}"
    *others, last = (f"`{name}`" for name in _nullable(FILE))
    yield f"## Values\n\n{VALUES}\n"
    yield f"**`null`** means the same as leaving the attribute out; {', '.join(others)} and {last} accept it.\n"
    yield f"### Sizes\n\n{SIZES}\n"
    yield from _table(
        ("text", "bytes"), ((f'`"{text}"`', f"{bytes_of(parse_size(text)):,}") for text in _SIZE_EXAMPLES)
    )
    yield f"### Durations\n\n{DURATIONS}\n"
    yield from _table(
        ("text", "duration"), ((f'`"{text}"`', f"`{parse_duration(text)}`") for text in _DURATION_EXAMPLES)
    )
    yield "## Errors\n\nInvalid names and texts:\n"
    yield from _table(("message", "suggestion"), _refusals(INVALID_TEXTS))
    yield "Conflicts within a service, and between services:\n"
    yield from _table(("message", "suggestion"), _refusals(CONFLICTS))


def _example(name: str) -> Iterator[str]:
    """Yield the example of a block. A test compares them with the blocks that there are."""
    if name in EXAMPLES and name != "variable":  # which the text about variables has
        yield f"```hcl\n{EXAMPLES[name]}```\n"


def _blocks() -> Iterator[tuple[Nested, type[ApiModel] | None, int]]:
    """Yield each kind of block once, with its model, if it has one, and the depth of its heading."""
    found: list[Shape] = []
    pending: list[tuple[Nested, type[ApiModel] | None, int]] = [(Nested(FILE), MillDeploymentSpec, 3)]
    while pending:
        block, model, depth = pending.pop()
        if any(block.shape is each for each in found):
            continue
        found.append(block.shape)
        yield block, model, depth
        if model is not None:
            inner = [(name, field) for name, field in block.shape.fields.items() if isinstance(field, Nested)]
            pending += [
                (field, _model_of(field, name, model), depth if block.shape is FILE else depth + 1)
                for name, field in reversed(inner)
            ]


def _model_of(block: Nested, name: str, parent: type[ApiModel]) -> type[ApiModel] | None:
    """Return the model of a block in that of another; None if it is no part of the resource."""
    if block.shape.meaning is not None:
        return None
    return _model_in(parent.model_fields[block.key or name].annotation)


def _block(block: Nested, model: type[ApiModel], depth: int) -> Iterator[str]:
    """Yield the section of a block."""
    shape, facts = block.shape, structural(model)["properties"]
    yield f"{'#' * depth} {shape.name}\n\n{_cell(model.__doc__ or '')}\n"
    rows = [_label(shape, facts[block.label])] if block.label else []
    rows += [_row(name, field, _facts(name, field, model, facts)) for name, field in shape.fields.items()]
    yield from _table(_HEAD, rows)


def _resolved_block(shape: Shape, depth: int) -> Iterator[str]:
    """Yield the section of a block that is no part of the resource."""
    yield f"{'#' * depth} {shape.name}\n\n{_cell(shape.meaning or '')}\n"
    name = {"description": "Name: at most 63 letters, digits, _ and -, of which the first is a letter or _."}
    rows = [_label(shape, name), *(_row(each, field, _own_facts(field)) for each, field in shape.fields.items())]
    yield from _table(_HEAD, rows)


def _facts(name: str, field: Row, model: type[ApiModel], facts: Mapping[str, Facts]) -> Facts:
    own = _own_facts(field)
    if own["description"]:
        return own
    key = key_of(name, field)
    return facts[model.model_fields[key].alias or key]


def _own_facts(field: Row) -> Facts:
    """Return what is said of a field that the resource does not have; without a description of any other one."""
    match field:
        case Nested(shape=Shape(meaning=meaning)):
            return {"description": meaning}
        case Attr(meaning=meaning, example=example):
            return {"description": meaning, "type": "array" if example.startswith("[") else "string"}
        case Tables(meaning=meaning):
            return {"description": meaning}
        case Table():
            return {"description": None}


def _model_in(annotation: object) -> type[ApiModel]:
    """Find the model in `Health | None` or `list[Route]`."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, ApiModel):
            return each
    raise TypeError(f"a model was expected, not {annotation}")


def _nullable(shape: Shape) -> dict[str, None]:
    """Return the names of the fields that may be `null`, each once."""
    found: dict[str, None] = {}
    for name, field in shape.fields.items():
        if isinstance(field, Attr | Nested) and field.nullable:
            found[name] = None
        if isinstance(field, Nested):
            found |= _nullable(field.shape)
    return found


def _label(shape: Shape, facts: Facts) -> tuple[str, ...]:
    return "*label*", f'string: `"{shape.label_example}"`', "required", _meaning(facts, limited=True)


def _row(name: str, field: Row, facts: Facts) -> tuple[str, ...]:
    limited = True
    match field:
        case Attr(read=read):
            limited = read not in _NOTATIONS
            kind = _NOTATIONS.get(read) or _KINDS[facts.get("type", "string")]
        case Table():
            kind = "block"
        case Tables():
            kind = "blocks"
        case Nested(label=label):
            kind = f"[{'blocks' if label else 'block'}](#{name})"
    return f"`{name}`", f"{kind}: `{field.example}`", _default(field, facts), _meaning(facts, limited=limited)


def _default(field: Row, facts: Facts) -> str:
    if isinstance(field, Attr) and field.required:
        *others, last = [f"`{name}`" for name in field.alternatives] or [""]
        names = f"{', '.join(others)} or {last}" if others else last
        return f"required without {names}" if names else "required"
    if "default" not in facts:
        return "none"
    default = facts["default"]
    if isinstance(field, Attr) and field.read is values.cpu:
        return f"`{cores_of(default):g}`"
    return f"`{json.dumps(default)}`"


def _meaning(facts: Facts, *, limited: bool) -> str:
    """Return the description with the limits that the resource's schema sets."""
    text = _cell(facts["description"])
    return f"{text} {limits(facts)}".rstrip() if limited else text


def _references() -> Iterator[tuple[str, str]]:
    yield f"`{format_value([SecretRef('NAME')])}`", (SecretRef.__doc__ or "")
    for attribute, meaning in MEANINGS.items():
        yield f"`{format_value([ServiceRef('NAME', attribute)])}`", meaning
    yield f"`{format_value([Literal(OPEN)])}`", f"A literal `{OPEN}`."
    yield "`%%{`", "A literal `%{`; in a text with references, write `\\u0025{`."


def _refusals(text: str) -> Iterator[tuple[str, str]]:
    """Yield message and suggestion of each problem that the parser finds in a file."""
    try:
        parse(text)
    except InvalidConfig as error:
        for problem in error.diagnostics:
            yield f"`{problem.path}`: {_cell(problem.message)}", _cell(problem.help or "")


def _cell(text: str) -> str:
    """Return a text for a table's cell: on one line, with references as code, so that none is read as a formula."""
    marked = _CODE.sub(lambda found: found[1] or f"`{found[2] or found[0]}`", text)
    return " ".join(marked.split()).replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
