"""MillDeployments in YAML and JSON, as a foreign file may contain them."""

import json
import random
from typing import Any, Final

import yaml

from mill_cli.document import MAX_DEPTH, read_document
from mill_cli.resource import read_resource
from mill_language import InvalidConfig, parse, render
from tests.fuzz.target import Target
from tests.fuzz.targets.language import CORPUS as FILES
from tests.fuzz.targets.language import assert_places
from tests.fuzz.texts import lines_of, mutated, odd, text, word

HEAD: Final = "apiVersion: mill.dev/v1alpha1\nkind: MillDeployment\n"
WORDS: Final = (
    *(
        "a: ",
        "- ",
        "? ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "&a ",
        "*a",
        "&b ",
        "*b",
        "<<: *a",
        "<<: [*a, *b]",
        "!!str ",
        "!!int ",
    ),
    *(
        "!!python/name:os.system ",
        "!!binary ",
        "!!set ",
        "!x ",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "# c\n",
    ),
    *(
        "\n",
        "\n  ",
        "\n    ",
        "'",
        '"',
        "yes",
        "~",
        "2026-01-31",
        "1:30",
        "0b11",
        "0o7",
        "1e3",
        ".inf",
        ".nan",
        "=",
        "spec: ",
    ),
    *(
        "services: ",
        "name: web",
        "image: w:1",
        "port: 80",
        "env: ",
        "memory: ",
        "1Gi",
        "cpu: ",
        "500m",
        "health: ",
        "path: /",
    ),
)


def _resources() -> list[bytes]:
    found = []
    for data in FILES:
        try:
            spec = parse(data)
        except InvalidConfig:
            continue
        resource = spec.to_resource({"name": "shop"})
        found += [yaml.safe_dump(resource, sort_keys=False).encode(), json.dumps(resource, indent=1).encode()]
    return found


CORPUS: Final = _resources()


def _field(rng: random.Random) -> Any:
    return rng.choice(
        (
            *(
                1,
                0,
                -1,
                80,
                0.5,
                1e300,
                10**30,
                True,
                None,
                "",
                "web",
                "a:1",
                "1Gi",
                "1m",
                "500m",
                "1e3",
                "0.1Ki",
                "1h30m",
            ),
            *(
                "1e-99",
                ".5",
                "5.",
                "9" * 31,
                "1.5s",
                "0s",
                "0.1ms",
                "${secret(a)}",
                "${service.a.address}",
                "$${x}",
                "/",
            ),
            *([], {}, ["a"], {"a": "b"}, {"name": "d", "path": "/d", "ephemeral": True}, odd(rng), word(rng)),
        )
    )


def _resource(rng: random.Random) -> bytes:
    """Return a MillDeployment whose fields have the right names, and often the right kinds of values."""
    names = (
        "port",
        "replicas",
        "cpu",
        "memory",
        "command",
        "env",
        "health",
        "routes",
        "volumes",
        "timeout",
        "update",
        "after",
        "more",
    )
    services = []
    for number in range(rng.randint(0, 3)):
        service: dict[str, Any] = {"name": f"s{number}", "image": "a:1"}
        for name in rng.sample(names, rng.randint(0, 4)):
            service[name] = _field(rng)
        if rng.random() < 0.3:
            service["env"] = {word(rng, 4): _field(rng) for _ in range(3)}
        if rng.random() < 0.2:
            service["volumes"] = [{"name": "v", "path": "/v", "size": _field(rng)}]
        if rng.random() < 0.2:
            service |= {"port": 80, "health": {"path": "/h", "interval": _field(rng)}}
        if rng.random() < 0.2:
            service |= {"port": 80, "health": {"start": _field(rng)}, "update": {"settle": _field(rng)}}
        if rng.random() < 0.2:
            service["after"] = [rng.choice(("s0", "s1", "s2", "t", "", odd(rng))) for _ in range(rng.randint(0, 3))]
        services.append(service)
    spec = {"services": services, "tasks": [{"name": "t", "image": "t", "timeout": _field(rng)}] * rng.randint(0, 1)}
    made = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": _field(rng)},
        "spec": spec,
    }
    return json.dumps(made, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _aliases(rng: random.Random) -> bytes:
    """Return anchors, aliases and merge keys that may double at each level."""
    lines = ["a0: &a0 {x: 1, y: [1, 2]}"]
    for level in range(1, rng.choice((2, 4, 30))):
        one, other = (f"*a{rng.randrange(level)}" if rng.random() < 0.3 else f"*a{level - 1}" for _ in range(2))
        form = rng.choice((f"{{<<: [{one}, {other}]}}", f"[{one}, {other}]", f"{{<<: {one}, z{level}: {other}}}", one))
        lines.append(f"a{level}: &a{level} {form}")
    return "\n".join(lines).encode()


def generate(rng: random.Random) -> bytes:
    """Return a file: by its schema, nearly valid, pieces of one, or too much of something."""
    kind = rng.random()
    if kind < 0.35:
        made = _resource(rng)
        return made if rng.random() < 0.7 else mutated(rng, made, CORPUS, WORDS)
    if kind < 0.6:
        made = lines_of(rng, rng.choice(CORPUS), 25)
        return mutated(rng, made if rng.random() < 0.5 else HEAD.encode() + b"spec:\n" + made, CORPUS, WORDS)
    if kind < 0.9:
        return text(rng, WORDS, 20).encode("utf-8", "surrogatepass")
    if kind < 0.97:
        return _aliases(rng) if rng.random() < 0.7 else mutated(rng, _aliases(rng), CORPUS, WORDS)
    return (rng.choice(WORDS) * rng.choice((10, 100, 2000))).encode()


def check(data: bytes) -> None:
    """Check that a file has a JSON value, or is refused at a place; and that it is deployed as it is written."""
    # As the reader decodes it: UTF-16 by its mark, and without the mark of UTF-8.
    utf_16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    read = data.decode("utf-16" if utf_16 else "utf-8", "replace").removeprefix("\ufeff")
    try:
        document = read_document(data, "f.mill")
    except InvalidConfig as error:
        assert_places(error, read)
    else:
        assert document is None or _is_plain(document.value)
    try:
        resource = read_resource(data, "f.mill")
    except InvalidConfig as error:
        assert_places(error, read)
        return
    assert resource.name is None or isinstance(resource.name, str)
    try:
        sent = resource.as_mill()
    except InvalidConfig as error:  # of fields that a `.mill` file cannot express
        assert_places(error, read)
        return
    assert render(parse(sent)) == sent


def _is_plain(value: Any, depth: int = 0) -> bool:
    assert depth <= MAX_DEPTH
    if isinstance(value, dict):
        return all(_is_plain(each, depth + 1) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(_is_plain(each, depth + 1) for each in value)
    return value is None or type(value) in (str, int, float, bool)


TARGETS: Final = (Target("resources", generate, check, seconds=4.0),)
