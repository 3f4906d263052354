"""Every text is a spec or has diagnostics, in bounded time; and every rendered spec reads back as itself."""

import string
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mill_api.durations import format_duration
from mill_api.files import File
from mill_api.place import Limits, Place
from mill_api.quantities import format_size, parse_cpu
from mill_api.references import (
    Attribute,
    InvalidValue,
    Literal,
    SecretRef,
    ServiceRef,
    format_value,
    format_word,
    parse_value,
)
from mill_api.spec import Health, MillDeploymentSpec, Route, Service, Task, Update, Volume
from mill_language import InvalidConfig, parse, render, service_names
from mill_language.formatter import format_file

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    [
        "${HOME}",
        "$${HOME}",
        "${service.a.host}",
        "$${service.a.host}",
        "$$${secret(a)}",
        "$$${x}",
        "%{ if }",
        "%%{x}",
        "$$",
        "a\\nb",
        '"',
        "x\r\n",
        "\u2028",
        "{\t}",
        "$${",
        "\\${",
    ]
)
PATHS = st.builds("/{}".format, TEXT)
SIZES = st.builds(format_size, st.integers(1, 2**63 - 1), binary=st.booleans())
MEMORY = st.sampled_from(["256M", "512Mi", "1500M", "1k", "1Ki", "7E"]) | SIZES.filter(lambda size: not size.isdigit())
CPU = st.decimals("0.001", "1000", places=3).map(parse_cpu)
DURATIONS = st.builds(format_duration, st.integers(0, 10**18))
IMAGES = st.sampled_from(["nginx", "registry.example.com:5000/a/b:1.0", "a/b@sha256:" + "0" * 64])
ENV_NAMES = st.from_regex(r"[-._a-zA-Z][-._a-zA-Z0-9]{0,10}", fullmatch=True)
HOSTS = st.builds("{}.example.com".format, st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True))


@st.composite
def values(draw: st.DrawFn, addresses: list[str]) -> str:
    """Draw an environment value; text before a reference does not end with a dollar sign."""
    literal = TEXT.filter(lambda text: not text.endswith("$")).map(Literal)
    return format_value(draw(st.lists(literal | _references(addresses), max_size=4)))


@st.composite
def words(draw: st.DrawFn, addresses: list[str]) -> str:
    """Draw a part of a command; text before a reference does not end with a dollar sign."""
    literal = TEXT.filter(lambda text: not text.endswith("$")).map(Literal)
    return format_word(draw(st.lists(literal | _references(addresses), max_size=4)))


def _references(addresses: list[str]) -> st.SearchStrategy[SecretRef | ServiceRef]:
    secrets = st.from_regex(r"[a-z_][-a-z0-9_]{0,5}(\.[a-z]{1,5})?", fullmatch=True).map(SecretRef)
    if not addresses:
        return secrets
    attributes = st.sampled_from([Attribute.ADDRESS, Attribute.HOST, Attribute.PORT])
    return secrets | st.builds(ServiceRef, st.sampled_from(addresses), attributes)


_KEYS = st.from_regex(r"([a-z][a-z0-9]{0,5}\.example/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,5}[a-z0-9])?", fullmatch=True)
_LABELS = st.dictionaries(
    _KEYS, st.from_regex(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,5}[a-z])?)?", fullmatch=True), max_size=2
)
_IDS = st.none() | st.integers(0, 2**31 - 1)
_GPU = st.dictionaries(st.sampled_from(["nvidia.com/gpu", "amd.com/gpu", "nvidia.com/mig-1g.5gb"]), st.integers(1, 9))


def pods(cpu: str, memory: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a service or task with these requests says of its pods."""
    places = st.builds(
        Place,
        arch=st.none() | st.sampled_from(["amd64", "arm64"]),
        labels=_LABELS,
        tolerate=st.lists(_KEYS, max_size=2),
    ).filter(lambda place: bool(place.arch or place.labels or place.tolerate))
    limits = st.builds(
        Limits, cpu=st.sampled_from([None, "none", "2000", cpu]), memory=st.sampled_from([None, "8E", memory])
    ).filter(lambda limits: bool(limits.cpu or limits.memory))
    return st.fixed_dictionaries(
        {},
        optional={
            "user": _IDS,
            "group": _IDS,
            "read_only_root": st.booleans(),
            "pull": st.none() | NAMES,
            "limits": st.none() | limits,
            "gpu": _GPU,
            "place": st.none() | places,
            "labels": _LABELS,
            "annotations": st.dictionaries(_KEYS, TEXT, max_size=2),
        },
    )


@st.composite
def files(draw: st.DrawFn, addresses: list[str]) -> list[File]:
    """Draw files at different paths: each a text with references to services, or a secret."""
    literal = TEXT.filter(lambda text: not text.endswith("$")).map(Literal)
    part = literal
    if addresses:
        part = literal | st.builds(ServiceRef, st.sampled_from(addresses), st.just(Attribute.HOST))
    content = st.lists(part, max_size=4).map(format_word)
    mode = st.none() | st.sampled_from(["0755", "0600"])
    kinds = st.tuples(content, st.none(), mode) | st.tuples(st.none(), st.just("a.b"), mode)
    drawn = enumerate(draw(st.lists(kinds, max_size=2)))
    return [File(path=f"/f{n}", content=text, secret=secret, mode=mode) for n, (text, secret, mode) in drawn]


@st.composite
def specs(draw: st.DrawFn) -> MillDeploymentSpec:
    """Draw a spec that keeps all rules, in the form that the parser returns."""
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    ports = {name: draw(st.none() | st.integers(1, 65535)) for name in names}
    addresses = [name for name, port in ports.items() if port is not None]
    env = st.dictionaries(ENV_NAMES, values(addresses), max_size=3)
    command = st.none() | st.lists(TEXT | words(addresses), max_size=3)
    args = st.none() | st.lists(words(addresses), max_size=3)
    services = []
    for index, (name, port) in enumerate(ports.items()):
        start = st.none() | st.builds(format_duration, st.integers(1, 3_600 * 10**9))
        settle = st.none() | st.builds(format_duration, st.integers(0, 300 * 10**9))
        check = st.builds(Health, path=PATHS, interval=DURATIONS, failure_threshold=st.integers(1, 1000), start=start)
        health = check | st.builds(Health, start=start.filter(lambda text: text is not None))
        hosts = draw(st.lists(HOSTS, max_size=2, unique=True)) if port is not None else []
        volumes = [
            Volume(name=f"{name[:20]}-{index}-{number}", path=f"/v{number}", size=size, ephemeral=size is None)
            for number, size in enumerate(draw(st.lists(st.none() | MEMORY, max_size=2)))
        ]
        persistent = any(not volume.ephemeral for volume in volumes)
        cpu, memory = draw(CPU), draw(MEMORY)
        services.append(
            Service(
                name=name,
                image=draw(IMAGES),
                port=port,
                replicas=draw(st.none() | st.integers(0, 1 if persistent else 1000)),
                cpu=cpu,
                memory=memory,
                command=draw(command),
                args=draw(args),
                env=draw(env),
                health=draw(st.none() | health) if port is not None else None,
                update=draw(st.none() | st.builds(Update, settle=settle)),
                after=draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else [],
                routes=[Route(host=host, path=f"/{name}{index}", websocket=draw(st.booleans())) for host in hosts],
                volumes=volumes,
                files=draw(files(addresses)),
                **draw(pods(cpu, memory)),
            )
        )
    tasks = [
        Task(
            name=name,
            image=draw(IMAGES),
            timeout=draw(DURATIONS),
            command=draw(command),
            args=draw(args),
            env=draw(env),
            **draw(pods("250m", "256M")),
        )
        for name in draw(st.lists(NAMES, max_size=2, unique=True))
    ]
    return MillDeploymentSpec(services=services, tasks=tasks)


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
