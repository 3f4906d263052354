"""Files that are read without the whole grammar have the same nodes as with it. `tests/fuzz` compares any file."""

import contextlib
from pathlib import Path

import pytest

from mill_language import InvalidConfig
from mill_language.plain_syntax import read_plain
from mill_language.reading import refuse_other_data
from mill_language.source import Source
from mill_language.syntax import read_file

ROOT = Path(__file__).parents[3]
FILES = [*sorted((ROOT / "examples").rglob("*.mill")), *sorted(Path(__file__).parent.rglob("*.mill"))]
PLAIN = (
    "",
    "# nothing\n\n\t// at all",
    'a = "b"',
    'a = ""\nb = -1.5\r\nc = [ ]\nd = {}\n',
    'service "a" {\n}\n',
    'service "a" {}  # c',
    "service a { b = true } // c\n",
    'a "b" c "d" {\n  e = [1, "2",\n    null,\n  ]\n}',
    'a = "x ${secret(b.c-d)} $5 100% ${service.e.port}${var.f} \\n\\""',
    "a = secret(b)\nb = service.c.address\nc = var.d\n",
    'variable "x" {}\nservice "a-${var.x}" {\n}\n',
    'a = { b = 1, "c.d" = [2]\n e = "f" }\n',
    "a = <<E\n x\n\n  y\nE\nb = <<-E\n    x\n   y\n   E\n c = <<E\nE\n",
)
OTHERS = (
    "/* a */",
    "a = b",
    "a = 1 + 1",
    "a = 1e5",
    "a = 0x1",
    "a = 1 b = 2",
    "a {",
    "}",
    "a = {",
    'a = "$${b}"',
    'a = "%{ if b }"',
    'a = "${b + 1}"',
    'a = "\\u00e9"',
    'a = "b',
    "a = <<E\n${b}\nE\n",
    "a = <<E\nx E\nE\n",
    "a = <<E\nx\n",
    "a = <<E\nx\nE",
    'a "${var.b}" {}',
    "größe = 1",
    "a { b = 1\n}",
    "a {" * 12 + "}" * 12,
    "a = " + "[" * 12 + "]" * 12,
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_has_the_same_nodes(file: Path) -> None:
    source = Source(file.read_bytes(), file.name)
    with contextlib.suppress(InvalidConfig):
        refuse_other_data(source)
        plain = read_plain(source)
        assert plain is None or plain == read_file(source)


@pytest.mark.parametrize("text", PLAIN)
def test_the_usual_forms_are_read_without_the_grammar(text: str) -> None:
    source = Source(text.encode(), "a.mill")
    plain = read_plain(source)
    assert plain is not None
    assert plain == read_file(source)


@pytest.mark.parametrize("text", OTHERS)
def test_others_are_left_to_it(text: str) -> None:
    assert read_plain(Source(text.encode(), "a.mill")) is None


def test_the_examples_are_plain() -> None:
    assert all(read_plain(Source(file.read_bytes(), file.name)) for file in (ROOT / "examples").glob("*.mill"))
