"""`.mill` files: valid ones, nearly valid ones and random text."""

import contextlib
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mill_api.quantities import bytes_of
from mill_api.references import parse_value
from mill_api.spec import MillDeploymentSpec
from mill_cli.files import File, shown
from mill_language import InvalidConfig, parse, parse_file, render, service_names
from mill_language.examples import EXAMPLES
from mill_language.formatter import format_file
from mill_language.inputs import Inputs
from mill_language.plain_syntax import read_plain
from mill_language.reading import as_source, refuse_other_data
from mill_language.schema import FILE, Attr, Nested, Shape
from mill_language.syntax import read_file
from mill_language.syntax_tree import parse_tree
from mill_language.tokens import tokens
from tests.fuzz.target import Target
from tests.fuzz.texts import lines_of, mutated, odd, text, word

_ROOT: Final = Path(__file__).parents[3]
CORPUS: Final = [
    path.read_bytes()
    for folder in ("examples", "tests/unit/mill_language/cases")
    for path in sorted((_ROOT / folder).rglob("*.mill"))
] + [text.encode() for text in EXAMPLES.values()]


def _forms(shape: Shape) -> Iterator[str]:
    """Yield each attribute of the language with a value, and the beginning of each block."""
    for name, row in shape.fields.items():
        match row:
            case Attr():
                yield f"{name} = {row.example}\n"
            case Nested():
                yield f"{row.example.removesuffix('… }')}\n"
                yield from _forms(row.shape)
            case _:
                yield f"{row.example}\n"


WORDS: Final = (
    *dict.fromkeys(_forms(FILE)),
    *(
        'service "a" {',
        "task t {",
        "}",
        "\n",
        "\n",
        "image =",
        '"x:1"',
        "port = 80",
        "=",
        "env {",
        "env = {",
        "health {",
    ),
    *(
        "${",
        "${secret(a)}",
        "${service.a.address}",
        "secret(",
        ")",
        '"',
        "<<EOT\n",
        "EOT\n",
        "<<-A\n",
        "A\n",
        "/*",
        "*/",
    ),
    *(
        "#",
        "[",
        "]",
        ",",
        "$${",
        "%{ if",
        "null",
        "true",
        'interval = "1s"',
        'start = "3m"',
        'update { settle = "1s" }',
        "after = [",
        "cpu = 8e1",
        "replicas = 2",
        'route "h" {',
    ),
    *(
        'volume "d" {',
        'size = "1Gi"',
        "ephemeral = true",
        'memory = "1G"',
        'path = "/p"',
        "command = [",
        "args = [",
        "${service.a.url}",
        "$${service.a.host}",
        "? :",
        "for x in",
        "user = 1000",
        'gpu = { "amd.com/gpu" = 1 }',
        'labels = { "a/b" = "c" }',
        'place { arch = "arm64" }',
        'limits { cpu = "none" }',
        "tolerate = [",
    ),
)
_VALUES: Final = {
    "image": ('"nginx"', '"registry.example:5000/a/b:1"', '"a@sha256:' + "0" * 64 + '"'),
    "port": ("80", "65535", "8e1"),
    "replicas": ("0", "1", "3", "1000"),
    "cpu": ("0.5", "2", "0.001", "1.5e0", "1000000"),
    "memory": ('"512M"', '"1.5Gi"', '"7E"', '"1 kb"', '"1b"'),
    "after": ("[]", '["a"]', '["b", "a"]', '["a", "a"]'),
    "command": ("[]", '["a", "b c"]', '["$${x}", "\\u00e4"]'),
}
_BLANKS: Final = (b"", b"  ", b"\t", b" /* c */ ", b" /*\n*/ ")
_ENDS: Final = (b"\n\n", b"\n\n\n", b" # c\n", b"\n  // c \t\n", b"\r\n", b" /* \xc3\xa9\n */\n", b" ", b"\n\t\n")
_DECLARED: Final = 'variable "v" { default = 8 }\nenv "e" {\n  A = "${var.v}"\n  B = "${service.a.host}"\n}\n'
_USES: Final = (
    *('  use = ["e"]', '  use = ["e", "e"]', '  env_file = ["x.env"]', '  args = ["${var.v}", "$${var.v}"]'),
    *("  gpu = var.v", '  memory = "${var.v}M"', '  route "${var.v}.example" {}', '  args = ["${var.w}"]'),
)
_INPUTS: Final = Inputs(read_env_file=lambda name: {"FROM_FILE": name})
_ENV: Final = ('"1"', "5", "true", '"${secret(a.b)}"', "secret(k)", "service.a.address", '"x $${y}"', "<<EOT\n $x\nEOT")


def _valid(rng: random.Random) -> str:
    """Return a file by the grammar; nearly all of them are valid."""
    has_variables = rng.random() < 0.3
    blocks = [_DECLARED] if has_variables else []
    for number in range(rng.randint(0, 3)):
        lines = [f"  {name} = {rng.choice(values)}" for name, values in _VALUES.items() if rng.random() < 0.5]
        lines += [] if any(each.startswith("  image") for each in lines) else ['  image = "a:1"']
        if rng.random() < 0.6:
            lines += [
                "  env {",
                *(f"    {word(rng, 5)}{at} = {rng.choice(_ENV)}" for at in range(rng.randint(0, 4))),
                "  }",
            ]
        if rng.random() < 0.3:
            lines += ["  port = 80"] if not any(each.startswith("  port") for each in lines) else []
            start = rng.choice(("", '    start = "1.5h"\n', '    start = "90 sec"\n', "    start = null\n"))
            check = rng.choice(("", '    path = "/h"\n    interval = "1m 30s"\n', '    path = "/h"\n'))
            lines += [f"  health {{\n{check}{start}  }}"]
        if rng.random() < 0.2:
            lines += [rng.choice(('  update { settle = "4 min" }', "  update {\n  }", "  update = null"))]
        if rng.random() < 0.3:
            lines += [f'  volume "v{number}" {{\n    path = "/v"\n    {rng.choice(WORDS)}\n  }}']
        if has_variables:
            lines += [rng.choice(_USES)]
        blocks.append(f'service "{"a" if number == 0 else word(rng, 6).lower()}" {{\n' + "\n".join(lines) + "\n}\n")
    return "".join(blocks)


def generate(rng: random.Random) -> bytes:
    """Return a file: valid, nearly valid, or pieces of one."""
    kind = rng.random()
    if kind < 0.3:
        made = _valid(rng).encode()
        return made if rng.random() < 0.5 else mutated(rng, made, CORPUS, WORDS)
    if kind < 0.7:
        return mutated(rng, lines_of(rng, rng.choice(CORPUS), 8), CORPUS, WORDS)
    if kind < 0.97:
        return text(rng, WORDS, 20).encode("utf-8", "surrogatepass")
    return (rng.choice((rng.choice(WORDS), odd(rng))) * rng.choice((3, 100, 400))).encode("utf-8", "surrogatepass")


def check(data: bytes) -> None:
    """Check that a file has a spec that reads back as itself, or diagnostics with places within the file."""
    service_names(data)
    check_plain(data)
    try:
        spec = parse_file(data, filename="f.mill", inputs=_INPUTS).spec
    except InvalidConfig as error:
        assert_places(error, data.decode("utf-8", "replace"))
        return
    again = render(spec)
    assert _meaning(parse(again)) == _meaning(spec)
    assert render(parse(again)) == again


def check_plain(data: bytes) -> None:
    """Check that what is read without the whole grammar has the same nodes as with it."""
    source = as_source(data, "f.mill")
    with contextlib.suppress(InvalidConfig):
        refuse_other_data(source)
        plain = read_plain(source)
        assert plain is None or plain == read_file(source)


def _meaning(spec: MillDeploymentSpec) -> list[Any]:
    """Return a spec in a normal form: `1000` and `1k` are equal, and references with and without blanks."""
    found = []
    for program in (*spec.services, *spec.tasks):
        fields = program.model_dump(exclude={"env", "memory", "volumes"})
        env = {name: parse_value(value) for name, value in program.env.items()}
        found.append((fields, env, bytes_of(program.memory), [each.path for each in getattr(program, "volumes", ())]))
    return found


def assert_places(error: InvalidConfig, read: str) -> None:
    """Check that each problem has a place in the text, and that all are rendered without terminal sequences."""
    assert 1 <= len(error.diagnostics) <= 100
    lines = read.split("\n")
    for each in error.diagnostics:
        assert each.message
        assert (1, 1) <= (each.line, each.column) <= (each.end_line, each.end_column)
        for line, column in ((each.line, each.column), *((other.line, other.column) for other in each.related)):
            assert 1 <= line <= len(lines)
            assert 1 <= column <= len(lines[line - 1]) + 1
    printed = shown(error, File("f.mill", read.encode("utf-8", "replace"), is_resource=False), color=False)
    assert printed.replace("\n", "").replace("\t", "").isprintable()
    first = error.diagnostics[0]
    assert first.to_json()["line"] == first.line
    assert f"--> f.mill:{first.line}:{first.column}" in printed


def loose(rng: random.Random) -> bytes:
    """Return a file, often with other blanks, comments and ends of lines than the layout has."""
    made = generate(rng)
    if rng.random() < 0.3:
        return made
    out = bytearray()
    for piece in re.split(rb"([ \t]*\r?\n|[ \t]+)", made):
        if piece.strip() or rng.random() < 0.7:
            out += piece
        else:
            out += rng.choice(_BLANKS) if b"\n" not in piece else rng.choice(_ENDS)
    return bytes(out).replace(b"\n", b"\r\n") if rng.random() < 0.1 else bytes(out)


def check_layout(data: bytes) -> None:
    """Check that a layout has the same tokens and meaning, is its own layout, and is refused for syntax alone."""
    try:
        formatted = format_file(data, filename="f.mill")
    except InvalidConfig as error:
        assert_places(error, data.decode("utf-8", "replace"))
        assert isinstance(_read(data), list)
        return
    check_plain(data)
    check_plain(formatted)
    assert format_file(formatted) == formatted
    assert _tokens(formatted) == _tokens(data)
    assert _read(formatted) == _read(data)
    assert formatted == b"" or (formatted[0] not in b"\r\n" and formatted.endswith(b"\n"))


def _tokens(data: bytes) -> list[str]:
    root = parse_tree(as_source(data, "")).root
    assert root is not None
    return [each.text for each in tokens(data, root)]


def _read(data: bytes) -> MillDeploymentSpec | list[tuple[str | None, str]]:
    """Return what a file means: its spec, or else its problems in any order."""
    try:
        return parse_file(data, inputs=_INPUTS).spec
    except InvalidConfig as error:
        return sorted((each.path or "", each.message) for each in error.diagnostics)


TARGETS: Final = (Target("language", generate, check, seconds=4.0), Target("layout", loose, check_layout, seconds=8.0))
