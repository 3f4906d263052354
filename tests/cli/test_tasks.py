"""`mill spawn` and `mill kill`."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import NOTHING, FakeGateway, as_json, refusal

RUN = {"id": "migrate-11cc64ba", "node": "node-1", "status": "running", "address": None, "name": "migrate"}
UNSET = {"task": None, "image": None, "cpu": None, "memory": None, "timeout": None, "env": {}}


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["migrate"], {"task": "migrate"}),
        (["migrate", "--timeout", "30m"], {"task": "migrate", "timeout": "30m"}),
        (
            ["--image", "busybox:1", "--cpu", "0.5", "--memory", "1G", "--env", "A=1=2", "--env", "=x", "--env", "A="],
            {"image": "busybox:1", "cpu": 0.5, "memory": "1G", "env": {"A": "", "": "x"}},
        ),
    ],
    ids=["a task", "its timeout", "an image"],
)
def test_what_is_asked_for(mill: Mill, gateway: FakeGateway, arguments: list[str], body: dict[str, Any]) -> None:
    gateway.answers("POST", "/v1/tasks/spawn", as_json(RUN))
    done = mill("spawn", *arguments, "--namespace", "shop", "--name", "blue")
    assert (done.stdout, done.stderr, done.code) == ("  id:      migrate-11cc64ba\n  status:  running\n", "", 0)
    (asked,) = gateway.asked
    assert asked.request == ("POST", "/v1/tasks/spawn", {"namespace": "shop", "name": "blue"})
    assert (asked.headers["content-type"], json.loads(asked.body)) == ("application/json", UNSET | body)


def test_a_run_with_an_address_and_as_json(mill: Mill, gateway: FakeGateway) -> None:
    run = RUN | {"address": "10.99.0.2:49152"}
    gateway.answers("POST", "/v1/tasks/spawn", as_json(run))
    assert mill("spawn", "migrate").stdout == (
        "  id:      migrate-11cc64ba\n  address: 10.99.0.2:49152\n  status:  running\n"
    )
    done = mill("spawn", "migrate", "--json")
    assert (json.loads(done.stdout), done.stdout.count("\n"), done.stderr, done.code) == (run, 1, "", 0)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_run_that_could_not_begin_says_why(mill: Mill, gateway: FakeGateway, status: int) -> None:
    gateway.answers("POST", "/v1/tasks/spawn", refusal(status, "image pull failed: tag not found", code="TagNotFound"))
    done = mill("spawn", "migrate", *(["--json"] if status == 500 else []))
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.splitlines()[0] == "error: image pull failed: tag not found"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "error: either a task template name or --image is required\n"),
        (["x", "--env", "A"], "error: invalid env format: A (expected KEY=VALUE)\n"),
    ],
)
def test_wrong_usage_asks_for_nothing(mill: Mill, gateway: FakeGateway, arguments: list[str], error: str) -> None:
    done = mill("spawn", *arguments)
    assert (done.stdout, done.stderr, done.code, gateway.asked) == ("", error, 2, [])


def test_kill_confirms_on_stderr_also_with_json(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("DELETE", "/v1/tasks/a%2Fb%20%C3%A4", NOTHING)
    for options in ([], ["--json"]):
        done = mill("kill", "a/b ä", "-n", "shop", *options)
        assert (done.stdout, done.stderr, done.code) == ("", "task a/b ä killed\n", 0)
    assert gateway.requests == [("DELETE", "/v1/tasks/a%2Fb%20%C3%A4", {"namespace": "shop"})] * 2
    gateway.answers("DELETE", "/v1/tasks/nope", refusal(404, "task not found"))
    done = mill("kill", "nope")
    assert (done.stdout, done.stderr, done.code) == ("", "error: task not found\n", 1)
