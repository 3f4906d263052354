"""`mill deploy` without a terminal: the seed's lines to the byte, and as JSON."""

import json

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, refusal, rollout, stream
from tests.cli.seed import EVENTS, LINES, SEED


def test_the_seeds_lines_to_the_byte(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", "-f", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)
    assert [(each.method, each.path, each.query, each.body) for each in gateway.asked] == [
        ("POST", "/v1/deploy", {"detail": "full"}, SEED.encode())
    ]


def test_json_is_one_object_a_line_with_nested_data(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", "--json", mill.file(SEED))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["event"], each["data"]) for each in told] == list(EVENTS)
    assert (done.stderr, done.code) == ("", 1)


def test_without_waiting_it_ends_when_the_deploy_is_accepted(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", stream(60.0))  # no event for a minute
    done = mill("deploy", mill.file(SEED), "--wait=false")
    assert (done.stdout, done.code) == ("", 0)
    assert done.stderr == "rollout 2 of shop/mill is accepted; `mill watch --namespace shop` follows it\n"
    gateway.answers("POST", "/v1/deploy", stream(60.0))
    done = mill("deploy", "--json", "--wait", "false", mill.file(SEED))
    assert json.loads(done.stdout) == {"namespace": "shop", "name": "mill", "rollout": "2"}


def test_what_is_refused_fails_without_waiting_too(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", refusal(403, "not permitted"))
    done = mill("deploy", mill.file(SEED), "--wait=false")
    assert (done.stderr, done.code) == ("error: not permitted\n", 1)
