"""`mill logs`: of one name, of all services, and over lost connections."""

import json
import re
from typing import Any

import pytest

from hack.pictures.terminal import Terminal
from tests.cli.conftest import MILL, Mill
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
    assert done.stderr == 'error: no service, task, run or pod "a/b"\n  help: `mill status` lists services and tasks\n'


def test_a_name_that_nothing_has_is_answered_with_what_there_is(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/logs/wbe", stream(event("error", "no allocations found for 'wbe'")))
    gateway.answers("GET", "/v1/services", as_json([{"name": "api"}, {"name": "web"}]))
    done = mill("logs", "wbe")
    assert done.stderr.splitlines() == [
        'error: no service, task, run or pod "wbe"',
        "  help: did you mean `web`?",
        "  help: there are api, web",
        "  help: `mill status` lists services and tasks",
    ]


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
    assert done.stderr == 'error reading logs for gone: no service, task, run or pod "gone"\n'
    told = json.loads(mill("logs", "--all", "--json").stderr)
    assert (told["error"], told["code"]) == (done.stderr.removesuffix("\n"), "no_logs")


def test_no_services_and_no_name(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/services", as_json([]))
    assert [mill("logs", "--all").stdout, mill("logs", "--all", "--json").stdout] == ["no services running\n", ""]
    done = mill("logs")
    assert (done.stdout, done.stderr) == ("", "error: a service or task name is required (or use --all)\n")
    assert (done.code, len(gateway.asked)) == (2, 2)


PODS = ["web-6d4f9-aaaaa", "web-6d4f9-bbbbb"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["web"], "one\ntwo\n"),
        (["web", "--no-prefix"], "one\ntwo\n"),
        (["web", "--prefix"], "[web-6d4f9-aaaaa] one\n[web-6d4f9-bbbbb] two\n"),
        (["--all"], "[web] one\n[web] two\n"),
        (["--all", "--prefix"], "[web-6d4f9-aaaaa] one\n[web-6d4f9-bbbbb] two\n"),
        (["--all", "--no-prefix"], "one\ntwo\n"),
    ],
    ids=" ".join,
)
def test_what_stands_before_a_line(mill: Mill, gateway: FakeGateway, arguments: list[str], expected: str) -> None:
    gateway.answers("GET", "/v1/services", as_json([{"name": "web"}]))
    lines = zip(("one", "two"), PODS, strict=True)
    gateway.answers("GET", WEB, stream(*(event(None, record(line, pod)) for line, pod in lines)))
    done = mill("logs", *arguments)
    assert (done.stdout, done.stderr, done.code) == (expected, "", 0)


@pytest.mark.parametrize(
    ("name", "pods", "prefixed"),
    [
        ("web", PODS, True),
        (PODS[0], PODS[:1], False),
        ("migrate-1a2b", ["migrate-1a2b-xyz12"], False),
        ("migrate", ["migrate-1a2b-xyz12"], True),
    ],
    ids=["a service", "a pod", "a run", "a task"],
)
def test_on_a_terminal_pods_have_names_and_colors(
    mill: Mill, gateway: FakeGateway, name: str, pods: list[str], prefixed: bool
) -> None:
    lines = [event(None, record(f"line of {pod}", pod)) for pod in (*pods, *pods)]
    gateway.answers("GET", f"/v1/logs/{name}", stream(*lines))
    with Terminal(str(MILL), "logs", name, environment=mill.environment(), folder=mill.folder) as terminal:
        assert terminal.end() == 0
        written = terminal.raw.decode().replace("\r\n", "\n").splitlines()
    before = [line.partition("line of")[0] for line in written]
    assert [re.sub(r"\x1b\[[0-9;]*m", "", each) for each in before] == [
        f"[{pod}] " if prefixed else "" for pod in (*pods, *pods)
    ]
    assert len(set(before)) == (len(pods) if prefixed else 1), "a pod keeps its color"
    assert all("\x1b[" in each for each in before) == prefixed


def test_a_hostile_pod_name_is_printable(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", WEB, stream(event(None, record("x", "a\x1b[31m\nb"))))
    assert mill("logs", "web", "--prefix").stdout == "[a\N{REPLACEMENT CHARACTER}[31m b] x\n"


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        (["--since", "10m"], {"since": "600"}),
        (["--since", "1h 500ms", "--tail", "5"], {"since": "3601", "tail": "5"}),
        (["--previous"], {"before_restart": "true"}),
        (["-p", "-n", "5"], {"before_restart": "true", "tail": "5"}),
        (["--grep", "x"], {"tail": "10000"}),
        (["--grep", "x", "--tail", "5"], {"tail": "5"}),
        (["--grep", "x", "--since", "10s"], {"since": "10"}),
    ],
    ids=" ".join,
)
def test_which_lines_are_asked_for(
    mill: Mill, gateway: FakeGateway, arguments: list[str], query: dict[str, str]
) -> None:
    gateway.answers("GET", WEB, stream(event(None, record("x"))))
    done = mill("logs", "web", *arguments)
    assert (done.stdout, done.stderr, done.code) == ("x\n", "", 0)
    assert gateway.requests == [("GET", WEB, {"follow": "false", **query})]


def test_only_lines_with_a_match(mill: Mill, gateway: FakeGateway) -> None:
    lines = ["ERROR: one", "all is well", "an \x1b[31merr\x1b[0mor", "x" * 20_000 + "error", "a" * 40]
    gateway.answers("GET", WEB, stream(*(event(None, record(each)) for each in lines)))
    assert mill("logs", "web", "--grep", "(?i)error").stdout == f"{lines[0]}\n{lines[2]}\n"
    assert mill("logs", "web", "--grep", "^a+$", "--json").stdout.count("\n") == 1
    assert mill("logs", "web", "--grep", "nothing").code == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["--grep", "(["],
            "error: invalid value for --grep <PATTERN>: not a regular expression: unterminated",
        ),
        (["--since", "soon"], "error: invalid value for --since <DURATION>: "),
        (["--since", "0s"], "error: invalid value for --since <DURATION>: expected more than 0s"),
        (["--previous", "--follow"], "error: --previous and --follow exclude each other"),
    ],
)
def test_lines_that_cannot_be_selected(mill: Mill, gateway: FakeGateway, arguments: list[str], error: str) -> None:
    done = mill("logs", "web", *arguments)
    assert (done.stdout, done.code, gateway.asked) == ("", 2, [])
    assert done.stderr.startswith(error)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("run t-1 never started: image pull failed: tag not found (TagNotFound)", ""),
        ("no container of 'web' has restarted", "  help: the log of a pod that was replaced is gone with it\n"),
    ],
)
def test_why_there_are_no_lines(mill: Mill, gateway: FakeGateway, reason: str, hint: str) -> None:
    gateway.answers("GET", WEB, stream(event("error", reason)))
    done = mill("logs", "web", "--previous")
    assert (done.stdout, done.stderr, done.code) == ("", f"error: {reason}\n{hint}", 1)


def test_a_service_without_lines_says_what_is_wrong_with_it(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", WEB, stream())
    failed = {"name": "web", "message": "image pull failed: tag not found", "detail": "image web:9\x1b[31m"}
    gateway.answers("GET", "/v1/services", as_json([failed, {"name": "api", "message": "x"}]))
    done = mill("logs", "web", "-n", "shop")
    assert (done.stdout, done.code) == ("", 0)
    assert done.stderr == (
        "web has no lines: image pull failed: tag not found (image web:9\N{REPLACEMENT CHARACTER}[31m)\n"
    )
    assert gateway.requests[-1] == ("GET", "/v1/services", {"namespace": "shop", "service": "web"})
    assert [mill("logs", "web", option).stderr for option in ("--json", "--quiet")] == ["", ""]
    gateway.answers("GET", "/v1/services", as_json([{"name": "web", "message": None}]))
    assert mill("logs", "web").stderr == ""
