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
    done = mill("spawn", "migrate")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.splitlines()[0] == "error: image pull failed: tag not found"
    as_line = mill("spawn", "migrate", "--json")
    assert (json.loads(as_line.stderr)["error"], as_line.code) == ("image pull failed: tag not found", 1)


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (
            500,
            {
                "error": "image pull failed: tag not found",
                "code": "run_not_started",
                "reason": "TagNotFound",
                "detail": "image web:9",
                "suggestion": "Check the name and tag of the image.",
            },
            (
                "error: image pull failed: tag not found (image web:9)\n"
                "  help: Check the name and tag of the image.\n  help: `mill explain TagNotFound` says more\n"
            ),
        ),
        (
            503,
            {
                "error": "no node with sufficient resources",
                "code": "insufficient_resources",
                "detail": "no nodes available: insufficient cpu",
                "reason": "Unschedulable",
                "suggestion": None,
            },
            "error: no node with sufficient resources (no nodes available: insufficient cpu)\n",
        ),
    ],
)
def test_a_run_that_could_not_begin_has_the_help_of_its_code(
    mill: Mill, gateway: FakeGateway, status: int, answer: dict[str, Any], error: str
) -> None:
    gateway.answers("POST", "/v1/tasks/spawn", refusal(status, answer.pop("error"), **answer))
    done = mill("spawn", "migrate")
    assert (done.stdout, done.stderr, done.code) == ("", error, 1)
    as_line = json.loads(mill("spawn", "migrate", "--json").stderr)
    assert (as_line["code"], as_line["reason"]) == (answer["code"], answer["reason"])


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
    for known in (as_json({"id": "a/b ä", "state": "Running"}), refusal(403, "bot may not get jobs.batch")):
        gateway.answers("GET", "/v1/tasks/a%2Fb%20%C3%A4", known)
        for options in ([], ["--json"]):
            done = mill("kill", "a/b ä", "-n", "shop", *options)
            assert (done.stdout, done.stderr, done.code) == ("", "task a/b ä killed\n", 0)
    route = ("/v1/tasks/a%2Fb%20%C3%A4", {"namespace": "shop"})
    assert gateway.requests == [("GET", *route), ("DELETE", *route)] * 4
    gateway.answers("DELETE", "/v1/tasks/nope", refusal(404, "task not found"))
    done = mill("kill", "nope")
    assert (done.stdout, done.stderr, done.code) == ("", "error: task not found\n", 1)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (
            {"state": "Failed", "finished_at": "t", "message": "container exited with code 3", "detail": "bye"},
            "failed: container exited with code 3 (bye)",
        ),
        ({"state": "Succeeded", "finished_at": "t"}, "succeeded"),
        ({"state": "Stopped", "finished_at": "t", "message": "image pull failed"}, "stopped"),
        ({"status": "stopped"}, "stopped"),
    ],
)
def test_a_run_that_has_ended_is_not_killed(mill: Mill, gateway: FakeGateway, run: dict[str, Any], told: str) -> None:
    gateway.answers("GET", "/v1/tasks/t-1", as_json(run))
    done = mill("kill", "t-1")
    assert (done.stdout, done.stderr, done.code) == ("", f"run t-1 has ended already: {told}\n", 0)
    assert [each.method for each in gateway.asked] == ["GET"]


def test_a_run_that_failed_and_may_still_start_is_killed(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/tasks/t-1", as_json({"state": "Failed", "reason": "TagNotFound", "finished_at": None}))
    gateway.answers("DELETE", "/v1/tasks/t-1", NOTHING)
    assert mill("kill", "t-1").stderr == "task t-1 killed\n"


def test_ps_shows_the_newest_of_many_ended_runs_and_all_of_them_if_asked(mill: Mill, gateway: FakeGateway) -> None:
    runs = [
        {"id": f"t-{at:02}", "name": "t", "node": "n", "status": "stopped", "state": "Succeeded", "cpu": 0.2}
        | {"memory": 1000, "created_at": f"2026-02-14T10:00:{at:02}Z", "finished_at": "t", "exit_code": 0}
        for at in range(25)
    ]
    gateway.answers("GET", "/v1/tasks", as_json(runs))
    done = mill("ps", "-n", "shop")
    shown = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert shown == [f"t-{at:02}" for at in range(24, 4, -1)]
    assert done.stderr == "5 more that have ended: `mill ps --all --namespace shop`\n"
    everything = mill("ps", "--all")
    assert (len(everything.stdout.splitlines()), everything.stderr) == (26, "")
    assert json.loads(mill("ps", "--json").stdout) == runs
