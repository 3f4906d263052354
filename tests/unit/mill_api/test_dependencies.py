"""What services depend on: which values name a service, and which cycles make no edge."""

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_api.constraints import MAX_AFTER
from mill_api.dependencies import Dependencies, dependencies, rings
from mill_api.spec import MillDeploymentSpec, Service
from mill_api.validation import MAX_TEXT_BYTES, problems


class Dependent(NamedTuple):
    name: str
    env: Mapping[str, str] = {}
    after: Sequence[str] = ()
    command: Sequence[str] | None = None
    args: Sequence[str] | None = None
    contents: Sequence[str] = ()


def named_by(*values: str) -> tuple[str, ...]:
    """Return what `web` refers to in the namespace `shop`, beside services of some names."""
    others = [Dependent(name) for name in ("db", "redis", "kafka-0", "s", "u", "tcp")]
    env = {f"V{number}": value for number, value in enumerate(values)}
    return dependencies([Dependent("web", env), *others], "shop")["web"].refers_to


@pytest.mark.parametrize(
    "value",
    [
        "${service.db.address}",
        "${service.db.host}",
        "${service.db.port}",
        "${service.db.url}",
        "postgres://u:${secret(p)}@${service.db.address}/x",
        "db",
        " db ",
        "db:5432",
        "db:${secret(port)}",
        "db.shop",
        "db.shop.svc",
        "db.shop.svc:5432",
        "db.shop.svc.cluster.local",
        "db.shop.svc.cluster.local.",
        "db.shop.svc.corp.example",
        "redis://db:6379/0",
        "redis://db",
        "http://db/",
        "http://db?x=1",
        "http://db#x",
        "postgres://u:${secret(p)}@db/x",
        "postgres://u:${secret(p)}@db:5432/x?sslmode=disable",
        "postgres://${secret(u)}:${secret(p)}@db.shop.svc:5432/x",
        "postgres://u:p@ss@db/x",
        "postgres://u:p,w@db/x",
        "jdbc:postgresql://db:5432/a",
        "jdbc:sqlserver://db:1433;databaseName=a",
        "other,db",
        "other, db",
        "other db\tmore",
        "other:1,db:2",
        "mongodb://u:p@other:1,db:27017/x?replicaSet=a",
        "mongodb://other,db/x",
        "kafka://other:9092,kafka://db:9092",
        "http://other http://db/x",
    ],
)
def test_a_value_that_names_a_service_is_an_edge(value: str) -> None:
    assert named_by(value) == ("db",)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "DB",
        "dbx",
        "db-1",
        "my-db",
        "db/x",
        "db/",
        "/db",
        "./db",
        "admin@db",
        "db:x",
        "db:",
        "db:123456",
        "db:\u0661\u0662",
        "db:5432:1",
        "db.other",
        "db.other.svc",
        "db.shop.pod",
        "db.example.com",
        "x.db",
        ".db",
        "db..shop",
        "http://x/db",
        "http://x?host=db",
        "http://db@x/",
        "http://db:secret@x/",
        "http://[db]/",
        "http:/db",
        "://",
        "$${service.db.address}",
        "${secret(db)}",
        "${secret(s)}",
        "${secret(a)}db",
        "db${secret(a)}",
        "http://${secret(host)}/",
        "${service.unknown.address}",
        "${service.db.name}",
        "db ${unclosed",
        "\0",
        "Host=db",
    ],
)
def test_a_value_that_names_none_is_no_edge(value: str) -> None:
    assert named_by(value) == ()


def test_edges_are_in_the_order_of_the_file_and_each_is_once() -> None:
    assert named_by("kafka-0:9092", "redis,db", "db", "${service.redis.address}") == ("db", "redis", "kafka-0")


def test_a_service_of_a_spec_has_dependencies() -> None:
    db = Service(name="db", image="db:1", port=1)
    web = Service(name="web", image="web:1", env={"DB": "${service.db.address}"}, after=["db"])
    assert dependencies([web, db], "shop") == {"web": Dependencies(("db",), ("db",)), "db": Dependencies()}


GRAPHS: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str], dict[str, str]]] = {
    # name: (soft edges, strict edges, expected soft edges, expected strict edges)
    "none": ({"a": ""}, {}, {}, {}),
    "itself": ({"a": "a"}, {"a": "a"}, {}, {}),
    "a chain": ({"a": "b", "b": "c", "c": ""}, {}, {"a": "b", "b": "c"}, {}),
    "a fork": ({"a": "b c", "b": "d", "c": "d", "d": ""}, {}, {"a": "b c", "b": "d", "c": "d"}, {}),
    "two that name each other": ({"a": "b", "b": "a"}, {}, {}, {}),
    "a ring with a fourth behind it": ({"a": "b", "b": "c", "c": "a", "d": "a"}, {}, {"d": "a"}, {}),
    "a ring with one before it": ({"a": "b d", "b": "a", "d": ""}, {}, {"a": "d"}, {}),
    "two rings, one behind the other": ({"a": "b c", "b": "a", "c": "d", "d": "c"}, {}, {"a": "c"}, {}),
    "two rings with one in common": ({"a": "b", "b": "a c", "c": "b"}, {}, {}, {}),
    "strict and soft against each other": ({"a": "", "b": "a"}, {"a": "b"}, {}, {"a": "b"}),
    "a ring of both kinds": ({"a": "b", "b": "", "c": "a"}, {"b": "c"}, {}, {"b": "c"}),
    "strict and soft alike": ({"a": "b", "b": ""}, {"a": "b"}, {"a": "b"}, {"a": "b"}),
    "a strict ring, which is refused": ({"a": "", "b": "", "c": ""}, {"a": "b", "b": "a", "c": "a"}, {}, {"c": "a"}),
    "unknown and repeated names": ({"a": "", "b": ""}, {"a": "x b b"}, {}, {"a": "b"}),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_no_edge_inside_of_a_cycle_makes_a_service_wait(case: str) -> None:
    soft, strict, expected_soft, expected_strict = GRAPHS[case]
    services = [Dependent(name, {"V": others}, strict.get(name, "").split()) for name, others in soft.items()]
    assert dependencies(services, "shop") == {
        name: Dependencies(tuple(expected_soft.get(name, "").split()), tuple(expected_strict.get(name, "").split()))
        for name in soft
    }


EDGES = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefx"), max_size=4))


def _reaches(start: str, goal: str, edges: Mapping[str, Sequence[str]]) -> bool:
    queue, known = [*edges.get(start, ())], set[str]()
    while queue:
        name = queue.pop()
        if name == goal:
            return True
        if name not in known:
            known.add(name)
            queue += edges.get(name, ())
    return False


@given(EDGES, EDGES)
def test_edges_stay_unless_there_is_a_way_back(soft: dict[str, list[str]], strict: dict[str, list[str]]) -> None:
    names = sorted(soft.keys() | strict.keys())
    services = [Dependent(name, {"V": ",".join(soft.get(name, ()))}, strict.get(name, ())) for name in names]
    together = {name: [*soft.get(name, ()), *strict.get(name, ())] for name in names}
    for name, found in dependencies(services, "shop").items():
        candidates = {each for each in soft.get(name, ()) if each in names}
        assert found.refers_to == tuple(
            sorted(each for each in candidates if each != name and not _reaches(each, name, together))
        )
        candidates = {each for each in strict.get(name, ()) if each in names}
        assert found.after == tuple(
            sorted(each for each in candidates if each != name and not _reaches(each, name, strict))
        )


@given(EDGES)
def test_every_name_in_a_ring_is_in_one_that_is_reported(edges: dict[str, list[str]]) -> None:
    found = list(rings(edges))
    for ring in found:
        assert len(ring) > 2
        assert ring[0] == ring[-1]
        assert all(other in edges[name] for name, other in pairwise(ring))
    in_rings = {name for name in edges if any(other != name and _reaches(other, name, edges) for other in edges[name])}
    assert {name for ring in found for name in ring} == in_rings


def test_a_ring_is_the_shortest_through_its_first_name() -> None:
    edges = {"a": ["b", "c"], "b": ["d"], "d": ["a"], "c": ["a"]}
    assert list(rings(edges)) == [("a", "c", "a"), ("b", "d", "a", "b")]


HOSTILE = {
    "commas": ",",
    "blanks": " \t\n",
    "names": "db ",
    "schemes": "a://",
    "users": "a@",
    "ports": "db:1:",
    "labels": "a.",
    "references": "${service.db.address}",
    "secrets": "${secret(a)}",
    "openings": "${",
    "escapes": "$${",
    "NUL": "\0",
    "letters": "x",
    "everything": "a://b@db:1/,${secret(a)} ",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_text_costs_what_its_length_costs(case: str) -> None:
    piece = HOSTILE[case]

    def cost(size: int) -> float:
        services = [Dependent("web", {"V": piece * (size // len(piece))}), Dependent("db")]
        started = time.process_time()
        dependencies(services, "shop")
        return time.process_time() - started

    cost(1000)
    assert cost(MAX_TEXT_BYTES) < 2


def test_the_largest_spec_is_read_soon() -> None:
    names = [f"service-{number:03}" for number in range(200)]
    value = ",".join(f"http://{name}:80" for name in names)[:2600]
    started = time.process_time()
    found = dependencies([Dependent(name, {"V": value}, names[:50]) for name in names], "shop")
    assert time.process_time() - started < 2
    assert found["service-199"].after == tuple(names[:50])


def test_a_chain_as_long_as_a_file_needs_no_recursion() -> None:
    edges = {str(number): [str(number + 1)] for number in range(20_000)}
    assert list(rings(edges | {"20000": []})) == []
    (ring,) = rings(edges | {"20000": ["0"]})
    assert len(ring) == 20_002


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": ["b"], "b": []}, []),
        ({"a": ["x"]}, ["service.a.after.0: unknown service 'x'"]),
        ({"a": ["b", "b"], "b": []}, ["service.a.after.1: 'b' is named twice"]),
        ({"a": ["x" * 64]}, [f"service.a.after.0: unknown service '{'x' * 64}'"]),
        ({"a": ["a"]}, ["service.a.after.0: a service cannot start after itself"]),
        (
            {"a": ["b"], "b": ["a"]},
            ["service.a.after.0: services start after one another in a ring: a → b → a"],
        ),
        (
            {"d": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]},
            ["service.a.after.0: services start after one another in a ring: a → b → c → a"],
        ),
    ],
)
def test_after_names_other_services_once_and_in_no_ring(after: dict[str, list[str]], expected: list[str]) -> None:
    spec = MillDeploymentSpec(services=[Service(name=name, image="a:1", after=each) for name, each in after.items()])
    assert [str(problem) for problem in problems(spec)] == expected


def test_a_ring_has_the_places_of_all_its_names() -> None:
    after = {"a": ["x", "b"], "b": ["c"], "c": ["x", "a"], "x": []}
    spec = MillDeploymentSpec(services=[Service(name=name, image="a:1", after=each) for name, each in after.items()])
    (problem,) = problems(spec)
    assert [problem.path, *problem.others] == ["service.a.after.1", "service.b.after.0", "service.c.after.1"]


def test_a_service_starts_after_a_limited_number_of_others() -> None:
    others = [Service(name=f"s{number}", image="a:1") for number in range(MAX_AFTER + 1)]
    names = [each.name for each in others]
    for count, expected in ((MAX_AFTER, []), (MAX_AFTER + 1, ["service.web.after: more than 50 services"])):
        web = Service(name="web", image="a:1", after=names[:count])
        assert [str(each) for each in problems(MillDeploymentSpec(services=[web, *others]))] == expected


@pytest.mark.parametrize(
    "stored",
    [
        {"after": ["x", "web", "", "a b", "\n" * 100, *"abc" * 100]},
        {"port": 1, "health": {}},
        {"port": 1, "health": {"interval": "1s"}},
        {"port": 1, "health": {"start": "99h"}},
        {"update": {"settle": "99h"}},
    ],
)
def test_what_breaks_a_new_rule_is_reported_and_still_loads(stored: dict[str, object]) -> None:
    spec = MillDeploymentSpec.model_validate({"services": [{"name": "web", "image": "web:1", **stored}]})
    assert problems(spec)


def test_references_in_a_command_and_in_arguments_are_edges_and_names_in_them_are_none() -> None:
    services = [
        Dependent("web", command=["${service.db.address}"], args=["worker", "db:5432", "${service.api.host}:80"]),
        Dependent("db", args=["${service.db.host}", "$${service.web.host}", "${service.unknown.host}"]),
        Dependent("api"),
        Dependent("worker"),
    ]
    found = dependencies(services, "shop")
    assert found["web"].refers_to == ("db", "api")
    assert found["db"].refers_to == ()
