"""Every text is a spec or has diagnostics, in bounded time; and every rendered spec reads back as itself."""

import string
import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mill_api.references import (
    InvalidValue,
    Literal,
    SecretRef,
    format_value,
    parse_value,
)
from mill_api.spec import MillDeploymentSpec
from mill_language import InvalidConfig, parse, render, service_names
from mill_language.formatter import format_file
from tests.support.specs import TEXT, specs


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs())
def test_a_rendered_spec_reads_back_as_itself(spec: MillDeploymentSpec) -> None:
    text = render(spec)
    assert parse(text) == spec
    assert render(parse(text)) == text
    assert format_file(text) == text.encode()


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *(
                'service "a" {',
                "task t {",
                "}",
                "\n",
                "\n",
                "\n",
                "image =",
                '"x"',
                "port",
                "=",
                "80",
                "8e1",
                "env",
                "{",
            ),
            *(
                "${",
                "secret(",
                ")",
                '"',
                "<<EOT",
                "EOT",
                "<<-A",
                "/*",
                "*/",
                "#",
                "[",
                "]",
                ",",
                ".",
                "\\",
                "$${",
                "%{ if",
            ),
            *("'", ";", "true", "null", "-", "? :", "for x in", "\t", "\r\n", "é", "\ufeff", "route", "volume d {"),
            *("health {", "path", 'interval = "1x"', "0x1", "1.5e400", "9" * 40, '"\\u0000"', '"\\ud800"'),
        ]
    ),
    max_size=40,
).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(st.binary() | st.text() | FRAGMENTS | st.text(string.printable))
@example("")
@example("\ud800")
@example('service "a  image = "x"\n}\n\ttasprk image = "x"\n}}')
@example('service "a" {\n  cpu = 1e99999999\n}')
@example('service""{port=-1%{')
@example('variable "v" { default = 1 }\nservice "a${var.v}\\ud800" {\n  image = "a:1"\n}\n')
@example("Y = <<EOT\nEOT")
@example('service "a" {\n  image = "' + "9" * 5000 + '"\n  memory = "' + "9" * 5000 + 'G"\n}')
@example('service "a" {\n  image = "x"\n  port = ' + "9" * 5000 + "\n}")
def test_any_text_is_a_spec_or_diagnostics(text: str | bytes) -> None:
    service_names(text)
    try:
        spec = parse(text)
    except InvalidConfig as error:
        refused = error
    else:
        assert parse(render(spec)) == spec
        return
    assert refused.diagnostics
    assert refused.render(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    for diagnostic in refused.diagnostics:
        assert (1, 1) <= (diagnostic.line, diagnostic.column) <= (diagnostic.end_line, diagnostic.end_column)


def test_a_reference_over_two_lines_reads_back_as_the_same_reference() -> None:
    text = 'service "a" {\n  image = "x"\n  env {\n    A = "b\\n${secret(\n  k)}"\n  }\n}\n'
    again = parse(render(parse(text)))
    assert parse_value(again.services[0].env["A"]) == (Literal("b\n"), SecretRef("k"))
    assert parse(render(again)) == again


@given(st.text("ab$${}()." + "secrtvidx") | TEXT)
def test_any_value_has_parts_or_is_refused(text: str) -> None:
    try:
        parts = parse_value(text)
    except InvalidValue:
        return
    literals = [isinstance(part, Literal) for part in parts]
    assert not any(first and second for first, second in pairwise(literals))
    assert parse_value(format_value(parts)) == parts


N = 250_000
GARBAGE = {
    "10 MB of anything": bytes(range(256)) * 40_000,
    "10 MB of blocks": b"a {\n" * 2_500_000,
    "brackets": b"a = " + b"[" * 100_000,
    "closed brackets": b"a = " + b"[" * 100_000 + b"]" * 100_000,
    "parentheses": b"a = " + b"(" * 100_000,
    "objects": b"a = " + b"{" * 100_000,
    "blocks": b"a {\n" * (N // 4),
    "closed blocks": b"a {\n" * 40_000 + b"}\n" * 40_000,
    "quotes": b'"' * N,
    "nested templates": b'a = "' + b'${"' * (N // 3),
    "heredocs": b"a=<<A\n" * (N // 6),
    "minuses": b"a=" + b"-" * N,
    "names": b"x " * (N // 2),
    "no values": b"a = \n" * (N // 5),
    "semicolons": b"a = 1; b\n" * (N // 9),
    "open strings": b'service "a" {\n image = "x\n}\n' * (N // 30),
    "many attributes": b"a = 1\n" * (N // 6),
    "many services": b"".join(b'service "s%d" {\n}\n' % number for number in range(N // 25)),
    "many labels": b"service " + b'"a" ' * (N // 4) + b"{\n}\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused_soon(name: str) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidConfig) as raised:
        parse(GARBAGE[name])
    assert time.monotonic() - started < 6  # 2 s on a machine with nothing else to do
    assert 1 <= len(raised.value.diagnostics) <= 100
