"""Strategies of hypothesis: specs that keep all rules, over the whole language."""

from typing import Any

from hypothesis import strategies as st

from mill_api.checks import Health, Live
from mill_api.durations import format_duration
from mill_api.files import File
from mill_api.place import Limits, Place
from mill_api.ports import MAIN, Port
from mill_api.quantities import format_size, parse_cpu
from mill_api.references import Attribute, Literal, SecretRef, ServiceRef, format_value, format_word
from mill_api.spec import MillDeploymentSpec, Route, Service, Task, Update, Volume

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
            "pull": st.none() | NAMES.filter(lambda name: name not in ("always", "never", "missing")),
            "limits": st.none() | limits,
            "gpu": _GPU,
            "place": st.none() | places,
            "labels": _LABELS,
            "annotations": st.dictionaries(_KEYS, TEXT, max_size=2),
            "stop": st.none() | _up_to_five_minutes(),
            "stop_signal": st.sampled_from([None, "SIGQUIT", "SIGRTMIN+3"]),
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


def _up_to_five_minutes() -> st.SearchStrategy[str]:
    return st.builds(format_duration, st.integers(10**9, 300 * 10**9))


@st.composite
def named_ports(draw: st.DrawFn, port: int | None) -> list[Port]:
    """Draw named ports of a service, beside its main one."""
    names = draw(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(MAIN.__ne__), max_size=3, unique=True))
    free = [number for number in range(2000, 2000 + len(names) + 1) if number != port]
    made = []
    for name, number in zip(names, free, strict=False):
        protocol, is_outside = draw(st.sampled_from(["tcp", "udp"])), draw(st.booleans())
        made.append(Port(name=name, number=number, protocol=protocol, outside=number if is_outside else None))
    return made


@st.composite
def checks(draw: st.DrawFn, port: int | None, ports: list[Port]) -> dict[str, Any]:
    """Draw what the blocks `health` and `live` share, of each kind; empty if a service can have none."""
    tcp = [each.name for each in ports if each.protocol == "tcp"]
    number = st.integers(1, 65535).map(str)
    other = number | st.sampled_from(tcp) if tcp else number
    at = (st.none() | other) if port is not None else other
    kinds: list[st.SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries({"path": PATHS, "port": at}, optional={"headers": _HEADERS}),
        st.fixed_dictionaries({"grpc": st.sampled_from(["", "shop.v1.Cart"]), "port": at}),
        st.fixed_dictionaries({"port": other}),
        st.fixed_dictionaries({"command": st.lists(TEXT.filter(_is_literal), min_size=1, max_size=3)}).filter(
            lambda drawn: drawn["command"][0] != ""
        ),
    ]
    drawn = draw(st.one_of(kinds))
    least = 5 * 10**9 if "command" in drawn else 0
    more = {
        "interval": st.builds(format_duration, st.integers(least, 10**18)),
        "timeout": _up_to_five_minutes(),
        "failure_threshold": st.integers(1, 1000),
    }
    return drawn | draw(st.fixed_dictionaries({}, optional=more))


_HEADERS = st.dictionaries(
    st.from_regex(r"[A-Za-z][-A-Za-z0-9]{0,8}", fullmatch=True),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10).filter(lambda text: "${" not in text),
    max_size=2,
)


def _is_literal(text: str) -> bool:
    return "${" not in text


@st.composite
def specs(draw: st.DrawFn) -> MillDeploymentSpec:
    """Draw a spec that keeps all rules, in the form that the parser returns."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    ports = {name: draw(st.none() | st.integers(1, 65535)) for name in names}
    addresses = [name for name, port in ports.items() if port is not None]
    env = st.dictionaries(ENV_NAMES, values(addresses), max_size=3)
    command = st.none() | st.lists(TEXT | words(addresses), max_size=3)
    args = st.none() | st.lists(words(addresses), max_size=3)
    services = []
    for index, (name, port) in enumerate(ports.items()):
        start = st.none() | st.builds(format_duration, st.integers(1, 3_600 * 10**9))
        settle = st.none() | st.builds(format_duration, st.integers(0, 300 * 10**9))
        ports_beside = draw(named_ports(port))
        check = checks(port, ports_beside)
        health = st.tuples(check, start).map(lambda drawn: Health(**drawn[0], start=drawn[1]))
        if port is not None:
            health |= st.builds(Health, start=start.filter(lambda text: text is not None))
        hosts = draw(st.lists(HOSTS, max_size=2, unique=True)) if port is not None else []
        volumes = [
            Volume(name=f"{name[:20]}-{index}-{number}", path=f"/v{number}", size=size, ephemeral=size is None)
            for number, size in enumerate(draw(st.lists(st.none() | MEMORY, max_size=2)))
        ]
        persistent = any(not volume.ephemeral for volume in volumes)
        cpu, memory = draw(CPU), draw(MEMORY)
        surge = st.none() if persistent else st.sampled_from([None, "1", "1000", "25%", "100%"])
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
                ports=ports_beside,
                health=draw(st.none() | health),
                live=draw(st.none() | check.map(lambda drawn: Live(**drawn))),
                update=draw(st.none() | st.builds(Update, settle=settle, surge=surge)),
                after=draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else [],
                routes=[Route(host=host, path=f"/{name}{index}", websocket=draw(st.booleans())) for host in hosts],
                volumes=volumes,
                files=draw(files(addresses)),
                **draw(pods(cpu, memory)),
            )
        )
    tasks = []
    for name in draw(st.lists(NAMES, max_size=2, unique=True)):
        cpu, memory = draw(CPU), draw(MEMORY)
        some = draw(st.lists(st.sampled_from(names), unique=True))
        tasks.append(
            Task(
                name=name,
                image=draw(IMAGES),
                cpu=cpu,
                memory=memory,
                timeout=draw(DURATIONS.filter(lambda text: text != "0s")),
                **{draw(st.sampled_from(["before", "after"])): some},
                command=draw(command),
                args=draw(args),
                env=draw(env),
                files=draw(files(addresses)),
                **draw(pods(cpu, memory)),
            )
        )
    return MillDeploymentSpec(services=services, tasks=tasks)
