"""`mill logs`: of one name, of all services, and over lost connections."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, as_json, event, stream

WEB = "/v1/logs/web"


def record(line: str, alloc: str = "web-0") -> dict[str, Any]:
    return {"alloc": alloc, "line": line, "stream": "stdout", "ts": "2026-11-25T06:41:10Z"}


def test_lines_of_all_replicas(mill: Mill, gateway: FakeGateway) -> None:
    records = [record("listening"), record("  tabs\tand Ω", "web-1"), record("")]
    gateway.answers("GET", WEB, stream(*(event(None, each, f"p-{at}") for at, each in enumerate(records))))
    done = mill("logs", "web", "-n", "5", "--namespace", "shop")
    assert (done.stdout, done.stderr, done.code) == ("listening\n  tabs\tand Ω\n\n", "", 0)
    as_lines = mill("logs", "web", "--json", "--tail", "0")
    assert [json.loads(line) for line in as_lines.stdout.splitlines()] == records
    assert mill("-n", "shop", "logs", "--follow", "web").code == 0
    assert gateway.requests == [
        ("GET", WEB, {"namespace": "shop", "follow": "false", "tail": "5"}),
        ("GET", WEB, {"follow": "false", "tail": "0"}),
        ("GET", WEB, {"namespace": "shop", "follow": "true"}),
    ]
    assert gateway.asked[0].headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        (["logs", "web", "-n", "shop"], {"namespace": "shop"}),
        (["logs", "-n", "5", "web"], {"tail": "5"}),
        (["logs", "web", "-n5", "-nshop"], {"tail": "5", "namespace": "shop"}),
        (["logs", "web", "-n", "1", "-n", "2"], {"tail": "2"}),
        (["logs", "web", "--tail", "1", "-n", "2"], {"tail": "1"}),
        (["logs", "web", "--namespace", "5"], {"namespace": "5"}),
        (["logs", "web", "--namespace", "5", "-n", "shop"], {"namespace": "5"}),
        (["-n", "5", "logs", "web"], {"namespace": "5"}),
        (["-n", "blog", "logs", "web", "-n", "shop"], {"namespace": "shop"}),
        (["-n", "blog", "logs", "web", "-n", "5"], {"namespace": "blog", "tail": "5"}),
        (["logs", "web", "-n", "5-blue"], {"namespace": "5-blue"}),
    ],
    ids=" ".join,
)
def test_n_is_the_namespace_and_with_a_number_the_tail(
    mill: Mill, gateway: FakeGateway, arguments: list[str], query: dict[str, str]
) -> None:
    gateway.answers("GET", WEB, stream(event(None, record("listening"))))
    done = mill(*arguments)
    assert (done.stdout, done.stderr, done.code) == ("listening\n", "", 0)
    assert gateway.requests == [("GET", WEB, query | {"follow": "false"})]


def test_a_name_that_nothing_has(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/logs/a%2Fb", stream(event("error", "no allocations found for 'a/b'")))
    done = mill("logs", "a/b")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == "error: no allocations found for 'a/b'\n  help: `mill status` lists services and tasks\n"


def test_lines_are_whole_whatever_is_in_them(mill: Mill, gateway: FakeGateway) -> None:
    line = "a\u2028b\u0085c\x0bd\x1ce"  # ends of lines for some, but not for server-sent events
    data = json.dumps(record(line), ensure_ascii=False)
    gateway.answers("GET", WEB, stream(event(None, data), event(None, "not json")))
    assert mill("logs", "web").stdout == f"{line}\nnot json\n"


def test_a_lost_connection_is_taken_up_where_it_was(mill: Mill, gateway: FakeGateway) -> None:
    first = stream(event(None, record("one"), "p-1"), event(None, record("two"), "p-2"), cut=True)
    gateway.answers("GET", WEB, first, stream(event(None, record("three"), "p-3")))
    done = mill("logs", "web", "-f", "--tail", "10", "-v")
    assert (done.stdout, done.code) == ("one\ntwo\nthree\n", 0)
    assert "connection lost" in done.stderr
    assert [each.headers.get("last-event-id") for each in gateway.asked] == [None, "p-2"]
    assert gateway.requests == [("GET", WEB, {"follow": "true", "tail": "10"})] * 2


def test_all_services_in_order(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/services", as_json([{"name": "web"}, {"name": "api"}]))
    gateway.answers("GET", WEB, stream(0.1, event(None, record("one"))))
    gateway.answers("GET", "/v1/logs/api", stream(event(None, record("two", "api-0"))))
    done = mill("logs", "--all", "-n", "3", "--namespace", "shop", "--name", "blue")
    assert (done.stdout, done.stderr, done.code) == ("[web] one\n[api] two\n", "", 0)
    assert gateway.requests == [
        ("GET", "/v1/services", {"namespace": "shop", "name": "blue"}),
        ("GET", WEB, {"namespace": "shop", "follow": "false", "tail": "3"}),
        ("GET", "/v1/logs/api", {"namespace": "shop", "follow": "false", "tail": "3"}),
    ]
    as_lines = mill("logs", "ignored", "--all", "--json")
    assert [json.loads(line) for line in as_lines.stdout.splitlines()] == [record("one"), record("two", "api-0")]


def test_all_services_as_their_lines_come(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/services", as_json([{"name": "web"}, {"name": "api"}]))
    gateway.answers("GET", WEB, stream(event(None, record("one")), 1.0, event(None, record("three"))))
    gateway.answers("GET", "/v1/logs/api", stream(0.5, event(None, record("two", "api-0"))))
    done = mill("logs", "--all", "--follow")
    assert (done.stdout, done.stderr, done.code) == ("[web] one\n[api] two\n[web] three\n", "", 0)


def test_one_service_whose_logs_cannot_be_read(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/services", as_json([{"name": "gone"}, {"name": "web"}]))
    gateway.answers("GET", "/v1/logs/gone", stream(event("error", "no allocations found for 'gone'")))
    gateway.answers("GET", WEB, stream(event(None, record("one"))))
    done = mill("logs", "--all")
    assert (done.stdout, done.code) == ("[web] one\n", 1)
    assert done.stderr == "error reading logs for gone: no allocations found for 'gone'\n"
    told = json.loads(mill("logs", "--all", "--json").stderr)
    assert (told["error"], told["code"]) == (done.stderr.removesuffix("\n"), "no_logs")


def test_no_services_and_no_name(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/services", as_json([]))
    assert [mill("logs", "--all").stdout, mill("logs", "--all", "--json").stdout] == ["no services running\n", ""]
    done = mill("logs")
    assert (done.stdout, done.stderr) == ("", "error: a service or task name is required (or use --all)\n")
    assert (done.code, len(gateway.asked)) == (2, 2)
