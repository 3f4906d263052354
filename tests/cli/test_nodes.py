"""`mill drain`, `mill remove` and `mill volume delete`: what goes away, and how far it got."""

import json

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import NOTHING, FakeGateway, refusal, rollout, stream
from tests.cli.fake_gateway import event as sent

DRAIN = "/v1/nodes/node-1/drain"
EVENTS = (
    ("progress", {"phase": "started"}),
    ("progress", {"service": "web", "phase": "waiting", "message": "the budget web allows no disruption"}),
    ("progress", {"service": "web", "phase": "scheduled", "node": "node-2"}),
    ("progress", {"service": "web", "phase": "healthy"}),
    ("progress", {"service": "web", "phase": "migrated"}),
    ("progress", {"pod": "kube-system/dns-7f", "phase": "evicted"}),
    ("done", {"elapsed": 3.25, "success": True}),
)
LINES = """\
  started
  web: waiting: the budget web allows no disruption
  web: scheduled on node-2
  web: healthy
  web: migrated
  kube-system/dns-7f: evicted
  drain complete (3.2s)
"""
BAD = (
    ("failed", {"service": "web", "reason": "no nodes\x1b[31m available"}),
    ("failed", {"pod": "shop/bare", "reason": "it has no controller"}),
    ("failed", {"reason": "no answer"}),
    ("done", {"elapsed": 600.0, "success": False}),
)
BAD_LINES = """\
  web: drain failed: no nodes�[31m available
  shop/bare: drain failed: it has no controller
  drain failed: no answer
  drain finished with errors
"""


def test_a_drain_as_lines_and_as_json(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", DRAIN, rollout(*EVENTS))
    done = mill("drain", "node-1", "--timeout", "10m")
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 0)
    (asked,) = gateway.asked
    assert (asked.request, asked.body) == (("POST", DRAIN, {"timeout": "10m"}), b"")
    assert "content-type" not in asked.headers
    as_lines = mill("drain", "node-1", "--json")
    told = [json.loads(line) for line in as_lines.stdout.splitlines()]
    assert ([(each["event"], each["data"]) for each in told], as_lines.code) == (list(EVENTS), 0)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_drain_with_failures_ends_with_1(mill: Mill, gateway: FakeGateway, options: list[str]) -> None:
    gateway.answers("POST", DRAIN, rollout(*BAD))
    done = mill("drain", "node-1", *options)
    assert (done.stderr, done.code) == ("", 1)
    assert done.stdout == BAD_LINES if not options else done.stdout.count("\n") == len(BAD)


def test_the_originals_done_has_no_success(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", DRAIN, rollout(("done", {"elapsed": 3})))
    done = mill("drain", "node-1")
    assert (done.stdout, done.code) == ("  drain complete (3.0s)\n", 0)


def test_a_drain_that_is_cut_off_is_joined_again(mill: Mill, gateway: FakeGateway) -> None:
    first, second = rollout(*EVENTS[:3]), rollout(*EVENTS)
    rest = [part for part in second.parts if isinstance(part, bytes)][3:]
    gateway.answers("POST", DRAIN, stream(*first.parts, cut=True), stream(*rest))
    done = mill("drain", "node-1", "--timeout", "5m")
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 0)
    assert [each.headers.get("last-event-id") for each in gateway.asked] == [None, "8ffa93a4.2.3"]
    assert gateway.requests == [("POST", DRAIN, {"timeout": "5m"})] * 2


def test_events_of_a_drain_that_say_nothing_are_no_lines(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", DRAIN, stream(sent("progress", {}), sent("progress", "?"), sent("done", {"elapsed": 1})))
    assert mill("drain", "node-1").stdout == "  drain complete (1.0s)\n"


REFUSED = [
    ("drain", "POST", DRAIN, 404, "node not found"),
    ("drain", "POST", DRAIN, 403, "draining is off"),
    ("remove", "DELETE", "/v1/nodes/node-1", 404, "node not found"),
    ("remove", "DELETE", "/v1/nodes/node-1", 409, "node has active allocations"),
    ("volume delete", "DELETE", "/v1/volumes/node-1", 404, "volume not found"),
    ("volume delete", "DELETE", "/v1/volumes/node-1", 409, "volume is attached"),
]


@pytest.mark.parametrize(("command", "method", "path", "status", "error"), REFUSED)
def test_a_refused_operation_exits_with_1(
    mill: Mill, gateway: FakeGateway, command: str, method: str, path: str, status: int, error: str
) -> None:
    gateway.answers(method, path, refusal(status, error))
    done = mill(*command.split(), "node-1")
    assert (done.stdout, done.stderr, done.code) == ("", f"error: {error}\n", 1)


def test_what_is_removed_is_told_on_stderr(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("DELETE", "/v1/nodes/node-1", NOTHING)
    gateway.answers("DELETE", "/v1/volumes/pgdata", NOTHING)
    for options, told in (([], "volume pgdata deleted\n"), (["--json"], "")):
        done = mill("remove", "node-1", *options)
        assert (done.stdout, done.stderr, done.code) == ("", "node node-1 removed\n", 0)
        done = mill("volume", "delete", "pgdata", "-n", "shop", *options)
        assert (done.stdout, done.stderr, done.code) == ("", told, 0)
    assert gateway.requests[:2] == [
        ("DELETE", "/v1/nodes/node-1", {}),
        ("DELETE", "/v1/volumes/pgdata", {"namespace": "shop"}),
    ]
