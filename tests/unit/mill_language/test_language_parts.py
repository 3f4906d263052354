"""References, quantities, diagnostics as JSON and in color, and the rules for resources."""

import json
import re
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from mill_api.durations import InvalidDuration, normalize_duration, parse_duration
from mill_api.quantities import InvalidQuantity, normalize_cpu, normalize_size, parse_cpu, parse_size
from mill_api.references import Attribute, InvalidValue, Literal, Part, SecretRef, ServiceRef, parse_value
from mill_api.spec import MillDeploymentSpec
from mill_api.validation import problems
from mill_language import InvalidConfig, parse, render, service_names


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain $5 {x}", (Literal("plain $5 {x}"),)),
        ("${secret(db.password)}", (SecretRef("db.password"),)),
        ("${secret( x )}", (SecretRef("x"),)),
        ("${service.db.address}", (ServiceRef("db"),)),
        ("${service.a.b.address}", (ServiceRef("a", port="b"),)),
        ("${service.db.host}", (ServiceRef("db", Attribute.HOST),)),
        ("x${service.db.port}y", (Literal("x"), ServiceRef("db", Attribute.PORT), Literal("y"))),
        ("${service.web.url}", (ServiceRef("web", Attribute.URL),)),
        (
            "postgres://u:${secret(p)}@${service.db.address}/x",
            (Literal("postgres://u:"), SecretRef("p"), Literal("@"), ServiceRef("db"), Literal("/x")),
        ),
        ("$${x}", (Literal("${x}"),)),
        ("a $${b} ${secret(c)}", (Literal("a ${b} "), SecretRef("c"))),
        ("$$${", (Literal("$${"),)),
    ],
)
def test_a_value_is_split_into_its_parts(text: str, parts: tuple[Part, ...]) -> None:
    assert parse_value(text) == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a ${b", "unclosed interpolation in 'a ${b'"),
        ("${secret()}", "empty secret name in '${secret()}'"),
        ("${secret(  )}", "empty secret name in '${secret(  )}'"),
        ("${service..address}", "empty service name in '${service..address}'"),
        ("${service.address}", "unknown reference '${service.address}'"),
        ("x${foo}y", "unknown reference '${foo}' in 'x${foo}y'"),
        ("${ secret(x) }", "unknown reference '${ secret(x) }'"),
        ("${service.a.name}", "unknown reference '${service.a.name}'"),
        ("${service.port}", "unknown reference '${service.port}'"),
        ("${service..host}", "empty service name in '${service..host}'"),
    ],
)
def test_invalid_references_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        parse_value(text)
    assert str(raised.value) == message


@pytest.mark.parametrize(("value", "expression"), [("x${foo}y", "foo"), ("${ secret(x) }", " secret(x) ")])
def test_the_text_of_the_original_for_an_unknown_reference(value: str, expression: str) -> None:
    with pytest.raises(InvalidConfig) as raised:
        parse(f'service "a" {{\n  image = "x"\n  env = {{ B = "{value}" }}\n}}\n')
    assert str(raised.value) == f"service.a.env.B: unknown interpolation '${{{expression}}}' in '{value}'"


def test_the_text_of_the_original_for_a_function() -> None:
    with pytest.raises(InvalidConfig) as raised:
        parse('service "a" {\n  image = "x"\n  env = { B = file("motd") }\n}\n')
    (found,) = raised.value.diagnostics
    assert found.text == """service.a.env.B: unknown interpolation '${file("motd")}' in '${file("motd")}'"""
    assert found.message == 'expected a string, got the expression `file("motd")`'


def test_quantities_of_resources_are_normalized_as_those_of_files() -> None:
    assert [normalize_size(size) for size in ("512M", "0.5Gi", "1e3", "1500m", "1048576", "0")] == [
        *("512M", "512Mi", "1k", "2", "1Mi", "0")
    ]
    assert [normalize_cpu(cpu) for cpu in ("0.5", "500m", "2", "1500000u", "1e0")] == [
        "500m",
        "500m",
        "2",
        "1500m",
        "1",
    ]
    assert [normalize_duration(duration) for duration in ("90s", "1h0m", "1.5h", "0s")] == [
        "1m30s",
        "1h",
        "1h30m",
        "0s",
    ]


def test_invalid_quantities_and_durations_are_refused() -> None:
    with pytest.raises(InvalidQuantity, match="invalid byte size '9EB9': "):
        parse_size("9EB9")
    with pytest.raises(InvalidQuantity, match="greater than 0"):
        parse_cpu(Decimal(0))
    with pytest.raises(InvalidDuration, match="invalid duration '1µ': "):
        parse_duration("1µ")


def test_service_names_are_found_in_spite_of_problems() -> None:
    text = 'service "b" {\n  image = ;\n}\nservice a {\n  prot = 1\n}\ntask "t" {\n}\nservice = { c = {} }\n'
    assert service_names(text) == ["b", "a", "c"]
    assert service_names(b"\xff") == []
    assert service_names("service {{{") == []


def test_diagnostics_are_plain_json() -> None:
    text = 'service "größe" {\n  image = "x"\n}\nservice "a" {\n  image = "x"\n}\nservice "a" {\n  image = "x"\n}\n'
    with pytest.raises(InvalidConfig) as raised:
        parse(text, filename="production.mill")
    first, second = (json.loads(json.dumps(diagnostic.to_json())) for diagnostic in raised.value.diagnostics)
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (1, 9, 1, 16)
    assert first["path"] == "service.größe"
    assert second["message"] == 'service "a" is defined twice'
    assert second["related"] == [{"message": "first here", "line": 4, "column": 9, "end_line": 4, "end_column": 12}]
    assert second["filename"] == "production.mill"


def test_color_changes_nothing_but_color() -> None:
    text = 'service "a" {\n  prot = 1\n}\n'
    with pytest.raises(InvalidConfig) as raised:
        parse(text)
    import re

    colored = raised.value.render(text, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == raised.value.render(text)


def test_a_long_line_is_cut_around_the_caret() -> None:
    text = f'service "a" {{\n  image = "x"\n  command = ["{"x" * 1000}", 5]\n}}\n'
    with pytest.raises(InvalidConfig) as raised:
        parse(text)
    lines = raised.value.render(text).splitlines()
    assert max(map(len, lines)) < 250
    assert lines[3][lines[4].index("^")] == "5"


def test_rules_apply_to_resources_that_are_not_written_as_files() -> None:
    spec = MillDeploymentSpec.model_validate(
        {
            "services": [
                {"name": "a", "image": "x", "env": {"A": "${service.b.address} ${service.c.address}", "B": "${x}"}},
                {"name": "c", "image": "No", "port": 1, "routes": [{"host": "h.example"}]},
                {"name": "d", "image": "x", "port": 1, "routes": [{"host": "h.example"}]},
            ]
        }
    )
    assert [str(problem) for problem in problems(spec)] == [
        "service.a.env.A: unknown service reference 'b'",
        "service.a.env.B: unknown reference '${x}'",
        "service.c.image: 'No' is not an image reference",
        "service.d.route.h.example: 'h.example/' already leads to service 'c'",
    ]


def test_more_services_than_a_resource_can_hold() -> None:
    text = "".join(f'service "s{number}" {{\n  image = "x"\n}}\n' for number in range(201))
    with pytest.raises(InvalidConfig) as raised:
        parse(text)
    assert str(raised.value) == "service.s200: more than 200 services"


def test_a_spec_is_rendered_without_defaults() -> None:
    spec = parse(
        'service web {\nimage="x"\nport=80\ncpu=.5\n}\n'.replace("=.5", "=0.5")
        + 'service b {\nimage="y"\nenv {\nLONG = 1\nA = secret(x)\n}\n}\n'
    )
    assert render(spec) == (
        'service "web" {\n  image = "x"\n  port  = 80\n  cpu   = 0.5\n}\n\n'
        'service "b" {\n  image = "y"\n\n  env {\n    LONG = "1"\n    A    = "${secret(x)}"\n  }\n}\n'
    )


def test_threads_may_parse_at_the_same_time() -> None:
    text = "".join(f'service "s{number}" {{\n  image = "x"\n}}\n' for number in range(100))
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(len(parse(text).services))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [100] * 8


def test_people_read_plain_english_and_the_wire_keeps_the_text_of_the_original() -> None:
    with pytest.raises(InvalidConfig) as raised:
        parse('service "web" {\n  image = "web"\n  port = "80"\n  memory = 512\n  health = 3\n}\n')
    assert [(each.message, each.text) for each in raised.value.diagnostics] == [
        (
            'expected a whole number, got the string "80"',
            'parse error: invalid type: string "80", expected u16 (service.web.port, line 3)',
        ),
        (
            "expected a string, got the number 512",
            (
                "service.web.memory: invalid byte size '${512}': "
                'couldn\'t parse "${512}" into a ByteSize, cannot parse float from empty string'
            ),
        ),
        (
            "expected a block, got the number 3",
            "parse error: invalid type: integer `3`, expected struct RawHealthCheck (service.web.health, line 5)",
        ),
    ]
    assert str(raised.value) == "\n".join(each.text for each in raised.value.diagnostics)
    assert not re.search(r"u16|u32|f64|struct|unit value|ByteSize|invalid type", raised.value.render(""))
    assert all("wire" not in each.to_json() for each in raised.value.diagnostics)


def test_no_message_of_the_cases_has_a_term_of_a_type_system() -> None:
    for file in (Path(__file__).parent / "cases" / "invalid").glob("*.mill"):
        try:
            parse(file.read_bytes())
        except InvalidConfig as error:
            for each in error.diagnostics:
                found = re.search(r"\b([uif]\d\d|struct|Raw\w+|unit value|ByteSize|invalid type|map)\b", each.message)
                assert found is None, each.message
