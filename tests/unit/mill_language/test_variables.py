"""Variables, shared environments and files of environment variables: what they become, and what is refused where."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_api.references import Literal, format_value, parse_value
from mill_api.spec import MillDeploymentSpec
from mill_language import InvalidConfig, parse, render
from mill_language.declarations import MAX_SHARED, MAX_SOURCES
from mill_language.examples import EXAMPLES
from mill_language.inputs import (
    MAX_ENV_FILE_BYTES,
    MAX_VALUE,
    MAX_VARIABLES,
    Given,
    Inputs,
    InvalidInput,
    UnknownVariables,
    read_assignments,
)
from mill_language.parser import ParsedFile, parse_file

ROOT = Path(__file__).parents[3]
VALID = sorted(
    path for folder in ("examples", "tests/unit/mill_language/cases/valid") for path in (ROOT / folder).rglob("*.mill")
)


def read(text: str, files: Mapping[str, Mapping[str, str]] | None = None, **values: str) -> ParsedFile:
    def read_file(name: str) -> Mapping[str, str]:
        if name not in (files or {}):
            raise InvalidInput(f"{name}: no such file or directory", "write it")
        return (files or {})[name]

    given = {name: Given(value, "--var") for name, value in values.items()}
    return parse_file(text, filename="shop.mill", inputs=Inputs(given, read_env_file=read_file))


def refused(text: str, files: Mapping[str, Mapping[str, str]] | None = None, **values: str) -> list[tuple[int, str]]:
    """Return line and message of each problem."""
    with pytest.raises(InvalidConfig) as raised:
        read(text, files, **values)
    return [(each.line, each.message) for each in raised.value.diagnostics]


def web(inner: str, *before: str) -> str:
    return "\n".join([*before, 'service "web" {', '  image = "web:1"', *inner.splitlines(), "}", ""])


TAG = 'variable "tag" { default = "1.0" }'


def env_of(parsed: ParsedFile) -> dict[str, str]:
    return parsed.spec.services[0].env


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_file_without_any_of_it_is_read_as_ever(file: Path) -> None:
    text = file.read_bytes()
    if any(word in text for word in (b"variable", b"use ", b"env_file", b"from ")):
        pytest.skip("it takes something from elsewhere")
    parsed = parse_file(text, filename=file.name, inputs=Inputs(environment={"tag": Given("9", "MILL_VAR_tag")}))
    assert not parsed.is_resolved
    assert all("is text " in each.message for each in parsed.warnings)
    assert parsed.spec == parse(text)


def test_the_example_of_the_page() -> None:
    parsed = read(EXAMPLES["variable"], {"staging.env": {"RAILS_ENV": "staging", "SMTP": "${x}"}}, tag="3.1")
    assert parsed.is_resolved
    assert parsed.warnings == ()
    first, worker, _ = parsed.spec.services
    assert (first.image, first.replicas) == ("registry.example/shop/web:3.1", 2)
    assert first.routes[0].host == "shop.example.com"
    assert list(first.env.items()) == [
        ("RAILS_ENV", "production"),
        ("SMTP", "$${x}"),
        ("DB_HOST", "${service.db.host}"),
        ("SECRET_KEY_BASE", "${secret(rails.key)}"),
        ("PUBLIC_URL", "https://shop.example.com"),
    ]
    assert worker.args == ["sidekiq"]
    assert "PUBLIC_URL" not in worker.env
    again = parse_file(render(parsed.spec))
    assert (again.spec, again.is_resolved) == (parsed.spec, False)


@pytest.mark.parametrize(
    ("inner", "field", "expected"),
    [
        ('command = ["a${var.tag}", "${ var.tag }", "${HOME} $${var.tag} ${var.tag}"]', "command",
         ["a1.0", "1.0", "${HOME} ${var.tag} 1.0"]),
        ('args = ["$${var.tag}", "$${service.web.host}${var.tag}"]', "args", ["${var.tag}", "$${service.web.host}1.0"]),
        ("env { A = var.tag }", "env", {"A": "1.0"}),
        ('env { A = "${var.tag}${secret(a)}$${b}" }', "env", {"A": "1.0${secret(a)}$${b}"}),
        ("env {\nA = <<-EOT\n  x ${var.tag}\n    y\nEOT\n}", "env", {"A": "x 1.0\n  y\n"}),
        ('env = { A = "${var.tag}" }', "env", {"A": "1.0"}),
    ],
)  # fmt: skip
def test_a_variable_stands_in_every_string(inner: str, field: str, expected: object) -> None:
    assert getattr(read(web(inner, TAG)).spec.services[0], field) == expected


def test_numbers_and_labels() -> None:
    text = web(
        'port = var.port\ncpu = var.cpu\nroute "${var.host}" { websocket = var.on }\n'
        'volume "d-${var.host}" {\npath = "/d"\nsize = "${var.port}M"\n}',
        "variable port { default = 80 }",
        "variable cpu { default = 0.5 }",
        "variable on { default = true }",
        'variable = { host = { default = "a" } }',
    )
    (service,) = read(text, host="b").spec.services
    assert (service.port, service.cpu, service.routes[0].host, service.routes[0].websocket) == (80, "500m", "b", True)
    assert (service.volumes[0].name, service.volumes[0].size) == ("d-b", "80M")


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)
    | st.text('${}"\\%n', max_size=12)
)
def test_a_value_is_text_and_never_syntax(value: str) -> None:
    body = 'env {\nA = "x${var.v}"\nB = <<EOT\n${var.v}\nEOT\nC = var.v\nD = "${var.v}"\n}\nargs = ["x${var.v}", %s]'
    (service,) = read(web(body % '"${var.v}"', 'variable "v" {}'), v=value).spec.services
    assert parse_value(service.env["A"]) == (Literal("x" + value),)
    assert service.env["C"] == service.env["D"] == format_value([Literal(value)])
    (bare,) = read(web(body % "var.v", 'variable "v" {}'), v=value).spec.services
    assert bare == service
    assert service.env["B"] == format_value([Literal(value + "\n")])
    assert parse(render(MillDeploymentSpec(services=[service]))).services == [service]


def test_a_dollar_of_a_value_does_not_escape_a_reference() -> None:
    found = refused(web('env { A = "${var.v}${secret(a)}" }', 'variable "v" {}'), v="$")
    assert found == [(4, "a `$` before `${…}` would make it text")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (web('args = ["${var.tga}"]', TAG), [(4, "unknown variable 'tga'")]),
        (web('args = ["${var.tag + 1}"]', TAG), [(4, "`${var.tag + 1}` is not the name of a variable")]),
        (web("port = var.tag.x", TAG), [(4, "`var.tag.x` is not the name of a variable")]),
        (web('env { A = "${var.tag + 1}" }', TAG), [(4, "`${var.tag + 1}` is not the name of a variable")]),
        (web('args = ["${var.t}"]', 'variable "t" {}'), [(1, "variable 't' has no value")]),
        (web("", 'variable "t" { default = "${secret(a)}" }'), [(1, "the value of a variable is text")]),
        (web("", 'variable "t" { default = secret(a) }'), [(1, "the value of a variable is text")]),
        (web('args = ["${var.t}"]', 'variable "t" { default = null }'), [(1, "expected a string, got null")]),
        (web("port = var.tga", TAG), [(4, "unknown variable 'tga'")]),
        (web("", 'variable "t" { defaultt = 1 }'), [(1, "variable 't' has no value"),
                                                   (1, "unknown attribute `defaultt` in `variable`")]),
        (web("", TAG, TAG), [(2, 'variable "tag" is defined twice')]),
        (web("", 'variable "1t" { default = 1 }'), [(1, "'1t' is not the name of a variable")]),
        (web("", "variable { default = 1 }"), [(1, "`variable` needs a label")]),
        (web('use = ["rials"]', 'env "rails" { A = 1 }'), [(4, "unknown env 'rials'")]),
        (web('use = ["a", "a"]', 'env "a" { A = 1 }'), [(4, "'a' is named twice")]),
        (web('use = "a"', 'env "a" { A = 1 }'), [(4, "expected a list of strings, got the string \"a\"")]),
        (web("", "env { A = 1 }"), [(1, "`env` needs a label here")]),
        (web("", 'env "a" { A = 1 }', 'env "a" { A = 1 }'), [(2, 'env "a" is defined twice')]),
        (web('use = ["a"]', 'env "a" { A = "${x}" }'), [(1, "unknown reference '${x}'")]),
        (web('use = ["a"]', 'env "a" { "1A" = 1 }'.replace("{", "{\n").replace("}", "\n}")), None),
        (web('env_file = ["x.env"]'), [(3, "x.env: no such file or directory")]),
        (web('port = 80\nuse = ["a"]', 'env "a" { PORT = 81 }'),
         [(1, "PORT contradicts `port`, whose value the program gets in PORT")]),
        (web(f"use = {['x'] * (MAX_SOURCES + 1)}".replace("'", '"'), 'env "x" { A = 1 }'), None),
    ],
)  # fmt: skip
def test_mistakes_have_their_places(text: str, expected: list[tuple[int, str]] | None) -> None:
    found = refused(text)
    if expected is not None:
        assert found == expected


def test_a_mistake_in_a_shared_environment_is_reported_once() -> None:
    users = [f'service "s{number}" {{\nimage = "x"\nuse = ["a"]\n}}' for number in range(9)]
    found = refused("\n".join(['env "a" { A = "${service.none.host}" }', *users]))
    assert found == [(1, "unknown service reference 'none'")]


def test_what_is_not_used_is_a_warning() -> None:
    parsed = read(web("", TAG, 'env "rails" { A = 1 }'))
    assert [(each.line, each.severity, each.message) for each in parsed.warnings] == [
        (1, "warning", "variable 'tag' is not used"),
        (2, "warning", "env 'rails' is not used"),
    ]
    assert parsed.warnings[0].to_json()["severity"] == "warning"
    assert parsed.warnings[0].render(TAG).startswith("warning: variable.tag: variable 'tag' is not used")


def test_a_value_for_a_name_that_is_not_declared_is_refused() -> None:
    with pytest.raises(UnknownVariables) as raised:
        read(web("", TAG), tga="1")
    assert (list(raised.value.given), raised.value.declared) == (["tga"], ("tag",))


def test_a_variable_is_text_where_none_is_declared() -> None:
    assert read(web('command = ["${var.tag}", "$${var.tag}"]')).spec.services[0].command == ["${var.tag}", "${var.tag}"]
    assert refused(web('route "${var.tag}" {}'))[0] == (3, "a label is a plain string, without ${…}")


def test_precedence() -> None:
    text = web('use = ["a", "b"]\nenv_file = ["x", "y"]\nenv { E = "own" }',
               'env "a" {\nA = "a"\nB = "a"\nE = "a"\n}', 'env "b" { B = "b" }')  # fmt: skip
    files = {"x": {"A": "x", "X": "x", "Y": "x"}, "y": {"Y": "y"}}
    assert env_of(read(text, files)) == {"A": "a", "X": "x", "Y": "y", "B": "b", "E": "own"}
    image = 'variable "tag" { default = "d" }\nservice web {\nimage = "a:${var.tag}"\n}'
    environment = {"tag": Given("e", "MILL_VAR_tag"), "other": Given("e", "MILL_VAR_other")}
    for inputs, tag in [
        (Inputs(), "d"),
        (Inputs(environment=environment), "e"),
        (Inputs({"tag": Given("v", "--var")}, environment), "v"),
    ]:
        assert parse_file(image, inputs=inputs).spec.services[0].image == f"a:{tag}"


def test_a_file_cannot_be_read_where_there_is_no_reader() -> None:
    with pytest.raises(InvalidConfig, match="a file with environment variables cannot be read here"):
        parse(web('env_file = ["/etc/passwd"]'))


class TestBounds:
    def test_variables_and_values(self) -> None:
        many = [f"variable v{number} {{ default = 1 }}" for number in range(MAX_VARIABLES + 1)]
        assert refused(web("", *many)) == [(MAX_VARIABLES + 1, f"more than {MAX_VARIABLES} variables")]
        ((line, message),) = refused(web('args = ["${var.v}"]', "variable v {}"), v="x" * (MAX_VALUE + 1))
        assert (line, message) == (1, f"the value of variable 'v' has more than {MAX_VALUE} characters (--var)")

    def test_what_variables_add(self) -> None:
        words = ", ".join(['"' + "${var.v}" * 7 + '"'] * 40)
        found = refused(web(f"args = [{words}]", "variable v {}"), v="x" * MAX_VALUE)
        assert "add more than" in found[0][1]
        assert len(found) == 1

    def test_what_environments_add(self) -> None:
        block = 'env "a" {\n' + "\n".join(f"V{number} = 1" for number in range(400)) + "\n}"
        users = [f'task "s{number}" {{\nimage = "x"\nuse = ["a"]\n}}' for number in range(100)]
        assert (
            refused("\n".join([block, *users]))[0][1]
            == f"`use` and `env_file` add more than {MAX_SHARED:,} variables to the file"
        )

    def test_an_environment(self) -> None:
        blocks = [f'env "{name}" {{\n' + "\n".join(f"{name}{i} = 1" for i in range(300)) + "\n}" for name in "ab"]
        assert refused(web('use = ["a", "b"]', *blocks))[-1][1] == "its environment has more than 500 variables"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# a\n\n  \nA=1\r\nexport B = two words # note\nC=#x", {"A": "1", "B": "two words", "C": ""}),
        ("D=a#b\nE=\nF = $HOME=1", {"D": "a#b", "E": "", "F": "$HOME=1"}),
        ("A='x # \\n ${y}' # note", {"A": "x # \\n ${y}"}),
        ('B="a\\n\\"b\\\\ #"', {"B": 'a\n"b\\ #'}),
        ("\ufeffA=ä", {"A": "ä"}),
    ],
)  # fmt: skip
def test_the_form_of_a_file(text: str, expected: dict[str, str]) -> None:
    assert {name: value for name, (value, _) in read_assignments(text.encode(), "x.env").items()} == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"A=1\nsecret value", "x.env:2: expected NAME=value"),
        (b"1A=secret", "x.env:1: '1A' is not a name"),
        (b"A=1\nA=secret", "x.env:2: A is set twice, first in line 1"),
        (b"A='secret", "x.env:1: the quote is not closed"),
        (b'A="secret\\"', "x.env:1: the quote is not closed"),
        (b"A='secret' more", "x.env:1: text after the closing quote"),
        (b"A=\xff", "x.env: the file is not UTF-8"),
        (b"A=\0", "x.env: the file has a NUL character"),
        (b"A=" + b"x" * 40_000, "x.env:1: a value of more than 32768 characters"),
        (b"#" * (MAX_ENV_FILE_BYTES + 1), "x.env: the file has more than 65,536 bytes"),
        (b"".join(b"A%d=1\n" % number for number in range(501)), "x.env:501: more than 500 names"),
    ],
)
def test_what_is_refused_of_a_file(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_assignments(data, "x.env")
    assert str(raised.value) == message
