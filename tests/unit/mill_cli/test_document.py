"""YAML of others: what it says, or where it is refused; soon, whatever it says."""

import json
import time

import pytest

from mill_cli.document import MAX_DEPTH, read_document
from mill_cli.resource import read_resource
from mill_language import InvalidConfig

HEAD = "apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\n"


def refused(text: str | bytes) -> str:
    """Return the first place with its problem."""
    with pytest.raises(InvalidConfig) as raised:
        read_resource(text.encode() if isinstance(text, str) else text, "x.yaml")
    first = raised.value.diagnostics[0]
    assert f"--> x.yaml:{first.line}:{first.column}" in raised.value.render("")
    return f"{first.line}:{first.column} {first.message}"


def value(text: str) -> object:
    document = read_document(text.encode(), "x.yaml")
    assert document is not None
    return document.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [yes, ~, 1.5, 0x10, 1_000]", {"a": 1, "b": [True, None, 1.5, 16, 1000]}),
        ("a: &x {p: 1, q: 2}\nb: *x", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}}),
        ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
        ("b: {<<: [{p: 1}, {p: 2, q: 4}]}", {"b": {"p": 1, "q": 4}}),
        ('"<<": 1\nb: <<\nc: =', {"<<": 1, "b": "<<", "c": "="}),
        ("a: 2026-01-31\nb: 2026-99-99T00:00:00Z", {"a": "2026-01-31", "b": "2026-99-99T00:00:00Z"}),
        (f"a: {'9' * 5000}\nb: 1e999999", {"a": "9" * 5000, "b": "1e999999"}),
        ("a: !!str 5\nb: !!float 1", {"a": "5", "b": 1.0}),
        ("\ufeffa: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ('{"a": "\\u202e"}', {"a": "\u202e"}),
    ],
)
def test_values_of_documents(text: str, expected: object) -> None:
    assert value(text) == expected


def test_utf_16_is_read_as_it_says() -> None:
    document = read_document("a: ä".encode("utf-16"), "x.yaml")
    assert document is not None
    assert document.value == {"a": "ä"}


def test_nothing_is_no_document() -> None:
    assert read_document(b"# nothing\n", "x.yaml") is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: &a [*a]", "1:8 the alias *a refers to a node that contains it"),
        ("a:\n  *b", "2:3 no anchor &b before this alias"),
        ("a: &a 1\nb: &a 2", "2:4 the anchor &a is defined twice"),
        (
            "a: !!python/object/apply:os.system [x]",
            "1:4 unsupported tag of a list: tag:yaml.org,2002:python/object/apply",
        ),
        ("a: !!binary aGk=", "1:4 unsupported tag of a value: tag:yaml.org,2002:binary"),
        ("a: !!set {x}", "1:4 unsupported tag of a map: tag:yaml.org,2002:set"),
        ("a: !x 1", "1:4 unsupported tag of a value: !x"),
        ("a: !!int abc", "1:4 not a valid int"),
        ('a: !!int ""', "1:4 not a valid int"),
        ("a: 1\rb: 2\n\u2028c: *x", "2:5 no anchor &x"),
        ("a: !!float abc", "1:4 not a valid float"),
        ("a: !!bool abc", "1:4 not a valid bool"),
        (f"a: !!int {'9' * 5000}", "1:4 the number has more than 100 characters"),
        ("a:\n  ? [x]\n  : y", "2:5 the key is a list or a map"),
        ("a: {<<: 5}", "1:9 `<<` merges a map, or a list of maps"),
        ('a: "\\ud83d"', "1:7 while parsing a quoted scalar: found invalid Unicode character escape code"),
        ("a: 1\nb: \0", "2:4 unexpected character U+0000"),
        ("a: 1\nb: \x9b", "2:4 unexpected character U+009B"),
        (b"a: 1\nb: \xc3\xa4\xff", "2:5 the file is not UTF-8"),
        ("", "1:1 no document: expected a MillDeployment"),
        ("a: 1\n---\nb: 2", "2:1 the file has more than one document"),
        (HEAD + "metadata: {name: [a]}", "3:12 expected a string"),
        (HEAD + "spec: {services: {}}", "3:8 Input should be a valid list"),
    ],
)
def test_invalid_documents_are_refused_at_their_place(text: str | bytes, where: str) -> None:
    assert refused(text).startswith(where)


def test_all_duplicate_keys_are_reported_with_the_first_ones() -> None:
    text = HEAD + "spec: {}\nspec:\n  services:\n  - name: a\n    name: b\n"
    with pytest.raises(InvalidConfig) as raised:
        read_resource(text.encode(), "x.yaml")
    told = [(each.line, each.message, each.related[0].line) for each in raised.value.diagnostics]
    assert told == [(4, "`spec` is defined twice", 3), (7, "`name` is defined twice", 6)]


def merges(levels: int) -> str:
    return "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n" for n in range(1, levels))


def aliases(levels: int) -> str:
    return "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, levels))


TOO_MUCH = {
    "merge keys": (merges(40), "more than 200,000 values"),
    "aliases": (aliases(40), "more than 200,000 values"),
    "an alias of a long text": ("a: &a " + "x" * 10_000 + "\nb: [" + "*a," * 2_000 + "]", "more than 4,194,304 charac"),
    "values": ("[" + "a," * 1_000_000 + "]", "more than 200,000 values"),
    "lists in lists": ("[" * 1_000_000, f"more than {MAX_DEPTH} nested lists and maps"),
    "blocks in blocks": ("- " * 1_000_000, f"more than {MAX_DEPTH} nested lists and maps"),
    "keys in keys": ("? " * 1_000_000, f"more than {MAX_DEPTH} nested lists and maps"),
    "directives": ("%TAG !a! b\n" * 180_000 + "--- a", "more than 100 lines begin with %"),
    "digits": ("a: " + "9" * 1_900_000, "not a MillDeployment"),
    "sexagesimal digits": ("a: " + "1:1" * 600_000, "not a MillDeployment"),
    "anchors": ("".join(f"- &a{n} x\n" for n in range(150_000)), "not a MillDeployment"),
    "one key": (HEAD + "spec:\n" + "  a: 1\n" * 90_000, "`a` is defined twice"),
    "bad items": (HEAD + "spec: {services: [\n" + "{a: b},\n" * 30_000 + "]}", "List should have at most"),
    "unknown fields": (HEAD + "spec: {" + ",".join(f"a{n}: 1" for n in range(90_000)) + "}", "unknown field"),
    "empty lines": ("\n" * 2_000_000, "no document"),
    "lines in quotes": ('a: "' + "x\n" * 900_000 + '"', "not a MillDeployment"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_large_documents_are_refused_soon(name: str) -> None:
    text, message = TOO_MUCH[name]
    started = time.process_time()
    with pytest.raises(InvalidConfig) as raised:
        read_resource(text.encode(), "x.yaml")
    raised.value.render(text)
    assert time.process_time() - started < 15  # 3 s on a machine with nothing else to do
    assert len(raised.value.diagnostics) <= 100
    assert message in raised.value.diagnostics[0].message


def test_a_resource_as_kubectl_prints_it_is_read() -> None:
    fields: object = {}
    for depth in range(14):
        fields = {f"f:{depth}": fields}
    text = json.dumps(
        {
            "apiVersion": "mill.dev/v1alpha1",
            "kind": "MillDeployment",
            "metadata": {"name": "mill", "namespace": "shop", "managedFields": [{"fieldsV1": fields}]},
            "spec": {"services": [{"name": "web", "image": "web:1"}]},
            "status": {"observedGeneration": 1},
        }
    )
    found = read_resource(text.encode(), "x.json")
    assert (found.name, found.namespace, [each.name for each in found.spec.services]) == ("mill", "shop", ["web"])


def with_service(more: str) -> str:
    return f"{HEAD}spec:\n  services:\n  - {{name: web, image: w, port: 80,\n    {more}}}\n"


@pytest.mark.parametrize(
    ("service", "where"),
    [
        ("env: {A.B: '${x}'}", "6:11 unknown reference '${x}'"),
        (
            "volumes: [{name: d, path: /d, size: 1Gi}, {name: e, path: /d, size: 1Gi}]",
            "6:57 another volume is mounted at '/d'",
        ),
    ],
)
def test_a_broken_rule_is_reported_at_its_place(service: str, where: str) -> None:
    assert refused(with_service(service)) == where


@pytest.mark.parametrize(
    ("service", "where"),
    [
        ("cpu: 2000000", "6:5 cpu must be at most 1000000"),
        ("volumes: [{name: d, path: /d, size: 0}]", "6:35 size must be greater than 0"),
        ("routes: [{host: a.b, path: /}, {host: a.b, path: /c}]", '6:14 route "a.b" is defined twice'),
    ],
)
def test_an_unknown_field_is_reported_at_its_place(service: str, where: str) -> None:
    resource = read_resource(with_service(service).encode(), "x.yaml")
    with pytest.raises(InvalidConfig) as raised:
        resource.as_mill()
    (problem,) = raised.value.diagnostics
    assert f"{problem.line}:{problem.column} {problem.message}" == where
