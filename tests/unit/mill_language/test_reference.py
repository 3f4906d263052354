"""The reference of `.mill` files: complete, up to date, and true of the language that it describes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from mill_api.constraints import Range
from mill_api.durations import parse_duration
from mill_api.fields import TEXT_RULE, ApiModel
from mill_api.quantities import parse_size
from mill_api.spec import MillDeploymentSpec
from mill_api.text_rules import TEXT_RULES
from mill_language import InvalidConfig, parse, parse_file, reference, render, values
from mill_language.examples import EXAMPLES
from mill_language.formatter import format_file
from mill_language.inputs import Given, Inputs
from mill_language.parser import ParsedFile
from mill_language.samples import CONFLICTS, INVALID_TEXTS
from mill_language.schema import FILE, SERVICE, TASK, Attr, Nested, Row, Shape, Table, Tables

FILE_OF_THE_PAGE = Path(__file__).parents[3] / "docs" / "mill-file.md"
PAGE = reference.to_markdown()


def _shapes(shape: Shape = FILE) -> Iterator[Shape]:
    yield shape
    for field in shape.fields.values():
        if isinstance(field, Nested):
            yield from _shapes(field.shape)


SHAPES = {shape.name: shape for shape in _shapes()}


def _fields() -> list[tuple[str, str, Row]]:
    return [(shape.name, name, field) for shape in SHAPES.values() for name, field in shape.fields.items()]


def _read(name: str) -> ParsedFile:
    """Read an example, with what it needs from outside."""
    given = Inputs(
        {"tag": Given("2.1", "--var")} if name == "variable" else {},
        read_env_file=lambda _: {"FROM": "a file"},
        read_file=lambda _: "a text",
    )
    return parse_file(EXAMPLES[name], filename=name, inputs=given)


def _written(model: ApiModel) -> Iterator[tuple[str, str]]:
    """Yield model and name of each field that a file sets."""
    for name in model.model_fields_set:
        yield type(model).__name__, name
        value = getattr(model, name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ApiModel):
                yield from _written(each)


def _rows(block: str) -> dict[str, list[str]]:
    """Return the table in the section of a block."""
    section = re.split(rf"^#+ {block}$", PAGE, flags=re.MULTILINE)[1].split("\n#")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row for row in rows}


@pytest.mark.parametrize(("block", "name", "field"), _fields(), ids=lambda each: each if isinstance(each, str) else "")
def test_every_attribute_is_in_the_page_and_in_the_example(block: str, name: str, field: Row) -> None:
    row = _rows(block)[name]
    assert field.example in row[1]
    assert row[3].endswith(".")
    if isinstance(field, Tables) or (isinstance(field, Attr) and field.meaning) or name == "variable":
        assert re.search(rf"\b{name} ", EXAMPLES[block])
        return
    model = "MillDeploymentSpec" if block == "top level" else block.capitalize()
    key = (None if isinstance(field, Table) else field.key) or name
    assert (model, key) in set(_written(_read(block).spec)), f"`{name}` belongs into EXAMPLES[{block!r}]"


@pytest.mark.parametrize("block", SHAPES)
def test_every_block_has_an_example(block: str) -> None:
    assert block in EXAMPLES, "write one that has each of its attributes, in mill_language/examples/"
    assert f"```hcl\n{EXAMPLES[block]}```" in PAGE
    assert len(re.findall(rf"^#+ {block}$", PAGE, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_valid_and_has_the_layout_of_files(name: str) -> None:
    parsed = _read(name)
    assert parsed.warnings == ()
    assert parse(render(parsed.spec)) == parsed.spec
    assert format_file(EXAMPLES[name]).decode() == EXAMPLES[name]


def test_an_attribute_that_is_added_appears_by_itself() -> None:
    class Program(ApiModel):
        """A program."""

        grace: int = Field(10, ge=1, le=60, description="How long it may take to end.")

    shape = Shape("program", {"grace": Attr(values.integer("u16", Range(1, 60)), "20")})
    assert list(reference._block(Nested(shape), Program, 2)) == [
        "## program\n\nA program.\n",
        "| attribute | form | default | meaning and limits |",
        "|---|---|---|---|",
        "| `grace` | whole number: `20` | `10` | How long it may take to end. From 1 to 60. |",
        "",
    ]


@pytest.mark.parametrize("shape", [SERVICE, TASK], ids=lambda shape: shape.name)
def test_a_default_that_is_written_out_changes_nothing(shape: Shape) -> None:
    defaults = {name: row[2].strip("`") for name, row in _rows(shape.name).items() if row[2].startswith("`")}
    assert {"cpu", "memory"} <= set(defaults)
    written = "\n".join(f"{name} = {value}" for name, value in defaults.items())
    assert parse(f'{shape.name} "a" {{\nimage = "a"\n{written}\n}}') == parse(f'{shape.name} "a" {{\nimage = "a"\n}}')


def test_the_forms_of_the_page_can_be_parsed() -> None:
    units = PAGE.split("### Sizes")[1].split("|")[0]
    for unit in re.findall(r"`([kMGTPE]i?)`", units):
        assert parse_size(f"3 {unit}") == parse_size(f"3{unit}B") == parse_size(f"3{unit.lower()}") == f"3{unit}"
    units = PAGE.split("### Durations")[1].split("Capitals")[0]
    names = re.findall(r"`(\w+)`", units)
    assert len(names) == 14
    assert all(parse_duration(f"3 {name}") for name in names)
    for block in re.findall(r"`(route = .*?\} \}|route \"[^`]*path[^`]*\})`", PAGE):
        (service,) = parse(f'service web {{\nimage = "a"\nport = 1\n{block}\n}}').services
        assert service.routes[0].host == "www.example.com"


def test_the_page_has_every_message_of_a_text_rule() -> None:
    def refusals(schema: Any) -> Iterator[str]:
        if isinstance(schema, dict):
            if TEXT_RULE in schema:
                yield TEXT_RULES[schema[TEXT_RULE]].refusal
            schema = list(schema.values())
        if isinstance(schema, list):
            for each in schema:
                yield from refusals(each)

    found = set(refusals(MillDeploymentSpec.model_json_schema()))
    assert len(found) > 5
    for refusal in found:
        assert refusal.replace("{}", "").strip("' ") in PAGE, refusal


@pytest.mark.parametrize(("text", "count"), [(INVALID_TEXTS, 42), (CONFLICTS, 28)])
def test_every_mistake_of_a_sample_is_reported(text: str, count: int) -> None:
    with pytest.raises(InvalidConfig) as raised:
        parse(text)
    assert len(raised.value.diagnostics) == count
    assert all(f"`{problem.path}`: " in PAGE for problem in raised.value.diagnostics)


def test_no_reference_can_be_read_as_a_formula() -> None:
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    assert "$" not in re.sub(r"`[^`]*`", "", prose)
