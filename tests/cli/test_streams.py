"""Streams that break: taken up where they were, given up in the end, and what is in them that should not be."""

import json

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import HEARTBEAT, Answer, FakeGateway, event, refusal, rollout, stream
from tests.cli.seed import EVENTS, LINES, SEED

JOIN = "/v1/deployments/mill/events"
PARTS = [part for part in rollout(*EVENTS).parts if isinstance(part, bytes)]
FIRST = "8ffa93a4.2.0"
REJOIN = "  help: the rollout continues; `mill watch --namespace shop` follows it\n"
ELSEWHERE = """\
redirected to http://elsewhere.example/ (address: URL)
  help: if that is the gateway, set it as --address
  help: mill did not send the token there
"""
PAGE = Answer(200, {"Content-Type": "text/html"}, (b"<html>we are back soon</html>",))


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "json"])
@pytest.mark.parametrize(
    ("first", "others", "ids"),
    [
        (stream(*PARTS[:2], cut=True), [stream(*PARTS[2:])], ["8ffa93a4.2.2"]),
        (stream(*PARTS[:2]), [stream(*PARTS[2:])], ["8ffa93a4.2.2"]),
        (stream(cut=True), [stream(*PARTS)], [FIRST]),
        (stream(HEARTBEAT, cut=True), [stream(HEARTBEAT, *PARTS)], [FIRST]),
        (stream(*PARTS[:1], PARTS[1][:20], cut=True), [stream(*PARTS[1:])], ["8ffa93a4.2.1"]),
        (
            stream(*PARTS[:3], cut=True),
            [refusal(503, "just started"), Answer(reset=True), Answer(502), stream(cut=True), stream(*PARTS[3:])],
            ["8ffa93a4.2.3"] * 5,
        ),
        (
            stream(PARTS[0], cut=True),
            [stream(each, cut=True) for each in PARTS[1:3]] + [stream(PARTS[3])],
            [f"8ffa93a4.2.{at}" for at in (1, 2, 3)],
        ),
    ],
    ids=["cut", "ended", "before the first event", "heartbeat", "in an event", "faults", "again and again"],
)
def test_nothing_is_lost_and_nothing_comes_twice(
    mill: Mill, gateway: FakeGateway, options: list[str], first: Answer, others: list[Answer], ids: list[str]
) -> None:
    gateway.answers("POST", "/v1/deploy", first)
    gateway.answers("GET", JOIN, *others)
    done = mill.having("streams", _FIRST_PAUSE=0.01)("deploy", mill.file(SEED), "--name", "mill", *options)
    if options:
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(each["event"], each["data"]) for each in told] == list(EVENTS)
    else:
        assert done.stdout == LINES
    assert (done.stderr, done.code) == ("", 1)
    detail = {} if options else {"detail": "full"}
    deploy, *joined = gateway.asked
    assert (deploy.request, "last-event-id" in deploy.headers) == (
        ("POST", "/v1/deploy", {"name": "mill", **detail}),
        False,
    )
    assert [each.headers["last-event-id"] for each in joined] == ids
    assert {(*each.request[:2], each.query["namespace"], each.body) for each in joined} == {("GET", JOIN, "shop", b"")}


def test_a_restart_is_joined_for_its_service_with_all_details(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/deployments/blue/events", stream(event("done", {"success": True})))
    gateway.answers("POST", "/v1/restart/web", stream(PARTS[1], cut=True, **{"Mill-Deployment": "shop/blue"}))
    done = mill("restart", "web", "-v")
    assert (done.stdout, done.code) == ("  web: scheduled on node-1\n  restarted\n", 0)
    assert done.stderr.startswith("connection lost (peer closed connection")
    assert gateway.asked[1].query == {"namespace": "shop", "service": "web", "detail": "full"}


def test_silence_is_a_lost_connection(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", stream(*PARTS[:2], 5.0))
    gateway.answers("GET", JOIN, stream(*PARTS[2:]))
    done = mill.having("streams", SILENCE_SECONDS=0.8)("deploy", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code, len(gateway.asked)) == (LINES, "", 1, 2)


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "json"])
def test_a_stream_that_is_lost_for_good(mill: Mill, gateway: FakeGateway, options: list[str]) -> None:
    gateway.answers("POST", "/v1/deploy", stream(*PARTS[1:3], cut=True))
    gateway.answers("GET", JOIN, Answer(reset=True))
    done = mill.having("streams", RESUME_SECONDS=0.3)("deploy", mill.file(SEED), *options)
    assert (done.stdout.count("\n"), done.code) == (2, 3)
    if options:
        told = json.loads(done.stderr)
        assert (told["error"], told["code"]) == ("lost the connection; the operation continues", "connection_lost")
    else:
        assert done.stderr == f"error: lost the connection; the operation continues\n{REJOIN}"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            refusal(401, "no token"),
            "no token\n  help: check that the token is a valid one of this gateway\n",
        ),
        (refusal(403, "jane may not"), "jane may not\n"),
        (refusal(404, "deployment not found"), "deployment not found\n"),
        (PAGE, "HTTP 200: text/html instead of events\n  help: check that URL is a mill gateway\n"),
        (
            Answer(307, {"Location": "http://elsewhere.example/"}),
            ELSEWHERE,
        ),
    ],
    ids=["401", "403", "404", "page", "redirect"],
)
def test_what_ends_it_in_the_middle_does_not_end_the_rollout(
    mill: Mill, gateway: FakeGateway, answer: Answer, error: str
) -> None:
    gateway.answers("POST", "/v1/deploy", stream(*PARTS[1:3], cut=True))
    gateway.answers("GET", JOIN, answer)
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.code) == ("".join(LINES.splitlines(keepends=True)[:2]), 3)
    assert done.stderr == f"error: cannot resume the stream: {error.replace('URL', gateway.url)}{REJOIN}"


def test_a_rollout_that_is_gone_meanwhile_has_failed(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", stream(*PARTS[1:3], cut=True))
    gateway.answers("GET", JOIN, refusal(410, "the deployment shop/mill was deleted"))
    done = mill("deploy", mill.file(SEED))
    assert (done.stderr, done.code) == ("error: the deployment shop/mill was deleted\n", 1)


@pytest.mark.parametrize(
    ("arguments", "path", "advice"),
    [
        (["deploy"], "/v1/deploy", "the rollout continues; `mill watch` follows it"),
        (
            ["deploy", "-n", "shop", "--name", "blue"],
            "/v1/deploy",
            "the rollout continues; `mill watch --namespace shop --name blue` follows it",
        ),
        (["restart", "web"], "/v1/restart/web", "the rollout continues; `mill watch` follows it"),
        (["drain", "b"], "/v1/nodes/b/drain", "run the same command again to resume"),
    ],
)
def test_a_request_without_an_answer_may_have_begun_something(
    mill: Mill, gateway: FakeGateway, arguments: list[str], path: str, advice: str
) -> None:
    mill.file(SEED, "mill.conf")
    gateway.answers("POST", path, Answer(reset=True))
    done = mill(*arguments)
    assert (done.stdout, done.code, len(gateway.asked)) == ("", 3, 1)
    first, last = done.stderr.splitlines()
    assert first.startswith("error: request failed: ")
    assert first.endswith(f"(address: {gateway.url}); the operation may have started anyway")
    assert last == f"  help: {advice}"


def test_events_that_make_no_sense_are_passed_over(mill: Mill, gateway: FakeGateway) -> None:
    nonsense = [
        b": only a comment\n\n",
        b"data\n\n",
        b"nonsense\n\n",
        b"event: progress\n\n",
        b"event: progress\ndata: {oops\n\n",
        b"event: progress\ndata: [1, 2]\n\n",
        b"event: progress\ndata: " + b"[" * 100_000 + b"\n\n",
        b"\xff\xfe\n\n",
        event("progress", {}),
        event("progress", {"service": 5, "phase": None}),
        event("progress", {"service": "web"}),
        event("failed-not", "null"),
        event(None, "plain"),
    ]
    gateway.answers("POST", "/v1/deploy", stream(*nonsense, *PARTS))
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)


def test_json_shows_what_is_no_json_as_text(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", stream(event("news", "{o\x1bps"), event("done", {"success": True})))
    done = mill("deploy", "--json", mill.file(SEED))
    assert done.stdout == '{"event":"news","data":"{o\\u001bps"}\n{"event":"done","data":{"success":true}}\n'
    assert (done.stderr, done.code) == ("", 0)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_an_event_in_many_pieces(mill: Mill, gateway: FakeGateway, end: bytes) -> None:
    lines = [b"event:failed", b'data:{"service": "broken",', b'data: "reason":', b'data:"t\xc3\xa4g not found"}']
    wire = end.join([*lines, b"", b""])
    gateway.answers("POST", "/v1/deploy", stream(*(bytes([each]) for each in wire), PARTS[3]))
    done = mill("deploy", mill.file(SEED))
    assert done.stdout == "  broken: failed: täg not found\n  deploy finished with errors\n"
    assert (done.stderr, done.code) == ("", 1)


def test_a_very_long_event(mill: Mill, gateway: FakeGateway) -> None:
    reason = "x" * 3_000_000
    failed = event("failed", {"service": "broken", "reason": reason})
    gateway.answers("POST", "/v1/deploy", stream(failed, PARTS[3]))
    done = mill("deploy", mill.file(SEED))
    assert (done.stdout, done.code) == (f"  broken: failed: {reason}\n  deploy finished with errors\n", 1)
