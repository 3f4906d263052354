"""The layout of `.mill` files. `tests/fuzz` has the same as a property of any file."""

from textwrap import dedent

import pytest

from mill_language import InvalidConfig, parse
from mill_language.formatter import format_file

LAYOUTS = {
    "indentation is two spaces a level": (
        'service "a" {\nimage="x"\n\t  env {\n A="1"\n}\n      }',
        'service "a" {\n  image = "x"\n\n  env {\n    A = "1"\n  }\n}\n',
    ),
    "equals signs are aligned in a run": (
        'a {\n  image = "x"\n  port = 1\n\n  memory = "1G"\n  # a comment\n  cpu = 1\n  timeout = "1h"\n}\n',
        'a {\n  image = "x"\n  port  = 1\n\n  memory = "1G"\n  # a comment\n  cpu     = 1\n  timeout = "1h"\n}\n',
    ),
    "lists of several lines are in no run": (
        'a {\n  image = "x"\n  command = [\n"b",\n  ]\n  port = 1\n  replicas = 1\n}\n',
        'a {\n  image = "x"\n  command = [\n    "b",\n  ]\n  port     = 1\n  replicas = 1\n}\n',
    ),
    "one blank line between blocks": (
        "a {\n  b = 1\n}\nc {\n  d = 1\n}\n\n\n\ne {\n  f = 1\n}\n",
        "a {\n  b = 1\n}\n\nc {\n  d = 1\n}\n\ne {\n  f = 1\n}\n",
    ),
    "blocks of one line may stand together": (
        "v a {}\nv b   { default=1 }\n\n\nv c { }\n",
        "v a {}\nv b { default = 1 }\n\nv c {}\n",
    ),
    "no blank lines within braces and brackets": (
        '\n\na {\n\n  b = [\n\n    "1",\n\n\n    "2"\n\n  ]\n\n}\n\n\n',
        'a {\n  b = [\n    "1",\n\n    "2"\n  ]\n}\n',
    ),
    "a comment above a block stays there": (
        "a {\n  b = 1\n}\n# one\n// two\nc {\n  d = 1\n}\n# three\n\n\n/* 4\n     5 */\ne {\n  f = 1\n  # six\n}\n",
        "a {\n  b = 1\n}\n\n# one\n// two\nc {\n  d = 1\n}\n\n# three\n\n/* 4\n     5 */\ne {\n  f = 1\n  # six\n}\n",
    ),
    "comments behind values are aligned": (
        "a { # none\n  b = 1 # one\n  cc = 22 // two\n  d = 3\n  e = 4    /* three */\n}\n",
        "a { # none\n  b  = 1  # one\n  cc = 22 // two\n  d  = 3\n  e  = 4 /* three */\n}\n",
    ),
    "comments between tokens stay": (
        "a /* 1 */ {\n  b /* 2 */= /* 3 */ [ /* 4 */1/* 5 */ , /* 6 */ ]\n}\n",
        "a /* 1 */ {\n  b /* 2 */ = /* 3 */ [ /* 4 */ 1 /* 5 */ , /* 6 */ ]\n}\n",
    ),
    "heredocs stay": (
        "a {\n  bb = 1\n    c = <<-EOT\n      x  =  1 \n\n\t  }\n    EOT\n  dd = 1\n  e = <<E\n# no comment\nE\n}\n",
        "a {\n  bb = 1\n  c  = <<-EOT\n      x  =  1 \n\n\t  }\n    EOT\n  dd = 1\n  e  = <<E\n# no comment\nE\n}\n",
    ),
    "a heredoc ends a run": (
        "a {\n  b = <<E\nE\n  long = 1\n}\n",
        "a {\n  b = <<E\nE\n  long = 1\n}\n",
    ),
    "lists and objects": (
        'a = [ "b","c" ,]\ne = {"x.y"= 1,Z=[ ],  y :2}\nf = {\n"x.y" = 1,\nZ = 2\n}\n',
        'a = ["b", "c",]\ne = { "x.y" = 1, Z = [], y: 2 }\nf = {\n  "x.y" = 1,\n  Z     = 2\n}\n',
    ),
    "brackets that stand together": (
        "g = [{\nh = 1\n}, {\nh = 2\n}]\n",
        "g = [{\n  h = 1\n}, {\n  h = 2\n}]\n",
    ),
    "references stay as they are written": (
        'a {\n  b = "${secret( x )}  ${var.y}"\n  c = secret( a )\n  d = service.a.host\n}\n',
        'a {\n  b = "${secret( x )}  ${var.y}"\n  c = secret( a )\n  d = service.a.host\n}\n',
    ),
    "a block of several lines has its braces at their ends": (
        'route "a" { path = "/"\n}\nroute "b" {\n  path = "/" }\nroute "c" { # why\n  path = "/"\n}\n',
        'route "a" {\n  path = "/"\n}\n\nroute "b" {\n  path = "/"\n}\n\nroute "c" { # why\n  path = "/"\n}\n',
    ),
    "lines end as the first one does": (
        "# a \r\nb {\r\n  c = 1\n  dd = <<E\nx\r\nE\r\n}",
        "# a\r\nb {\r\n  c  = 1\r\n  dd = <<E\nx\r\nE\r\n}\r\n",
    ),
    "characters are counted, not bytes": (
        'env = {\n  "größe" = 1\n  "x" = "é" # a\n  "y" = "ee" # b\n}\n',
        'env = {\n  "größe" = 1\n  "x"     = "é"  # a\n  "y"     = "ee" # b\n}\n',
    ),
    "an empty file": (" \n\t\n", ""),
    "a comment of several lines alone": ("\r\n/*\n*/", "/*\n*/\n"),
    "only comments": ("\n# a\n\n\n/* b */", "# a\n\n/* b */\n"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout(name: str) -> None:
    given, expected = LAYOUTS[name]
    assert format_file(given).decode() == expected
    assert format_file(expected).decode() == expected


@pytest.mark.parametrize("given", [given for given, _ in LAYOUTS.values()])
def test_a_layout_changes_no_problem_of_the_file(given: str) -> None:
    assert _problems(format_file(given)) == _problems(given)


def _problems(text: str | bytes) -> list[tuple[str | None, str]]:
    try:
        parse(text)
    except InvalidConfig as error:
        return [(each.path, each.message) for each in error.diagnostics]
    return []


def test_errors_of_syntax_are_refused_with_their_places() -> None:
    with pytest.raises(InvalidConfig) as raised:
        format_file('service "a" {\n  image = \n  port = 80;\n}\n', filename="a.mill")
    assert [(each.filename, each.line, each.parse_error) for each in raised.value.diagnostics] == [
        ("a.mill", 2, True),
        ("a.mill", 3, True),
    ]


def test_other_errors_are_no_matter_of_the_layout() -> None:
    assert format_file('servce "a" { prot=1 }').decode() == 'servce "a" { prot = 1 }\n'


def test_deep_values_and_many_lines_take_no_stack() -> None:
    deep = "a = " + "[" * 2_000 + "]" * 2_000 + "\n"
    assert format_file(deep).decode() == deep
    lines = 'a = "b"\n' * 20_000
    assert format_file(lines).decode() == lines


def test_the_layout_of_documentation() -> None:
    text = dedent("""\
        service "web" {
          image = "web:1"
          port  = 80

          health { path = "/" }
          route "a.example" {}
        }
        """)
    assert format_file(text).decode() == text
