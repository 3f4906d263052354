"""`mill run`: a program in the place of a service, followed to its end."""

import json

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import NOTHING, FakeGateway, as_json, refusal
from tests.cli.runs import ENDED, STARTED, log, run

ID = "web-run-11cc64ba"
SPAWNED = {"id": ID, "node": "", "status": "starting", "address": None, "name": "web-run"}


def test_the_program_has_the_words_after_the_dashes(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/tasks/spawn", as_json(SPAWNED))
    gateway.answers("GET", f"/v1/logs/{ID}", log("--help"))
    failed = {"exit_code": 4, "reason": "ContainerExited", "message": "container exited with code 4"}
    states = [run("Running", **STARTED), run("Failed", **ENDED, **failed)]
    gateway.answers("GET", f"/v1/tasks/{ID}", *(as_json({**each, "id": ID}) for each in states))
    done = mill("run", "web", "--env", "A=1", "--timeout", "5m", "-n", "shop", "--", "echo", "--help", "-n")
    assert (done.stdout, done.code) == ("--help\n", 4), done
    assert done.stderr == f"run {ID} created\nerror: run {ID} failed: container exited with code 4\n"
    assert (gateway.asked[0].query, json.loads(gateway.asked[0].body)) == (
        {"namespace": "shop"},
        {
            "service": "web",
            "command": ["echo", "--help", "-n"],
            "env": {"A": "1"},
            "timeout": "5m",
            "wait": False,
        },
    )


def test_a_detached_run_is_printed(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/tasks/spawn", as_json(SPAWNED))
    gateway.answers("DELETE", f"/v1/tasks/{ID}", NOTHING)
    done = mill("run", "web", "--detach", "--quiet", "--", "sleep", "60")
    assert (done.stdout, done.stderr, done.code) == (f"{ID}\n", "", 0)
    assert "wait" not in json.loads(gateway.asked[0].body)


def test_a_program_is_needed(mill: Mill, gateway: FakeGateway) -> None:
    done = mill("run", "web")
    assert done.code == 2
    assert "COMMAND" in done.stderr
    assert gateway.asked == []


def test_an_older_gateway_says_so(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers(
        "POST", "/v1/tasks/spawn", refusal(400, "must specify exactly one of 'task' or 'image'", code="invalid_run")
    )
    done = mill("run", "web", "--", "true")
    assert (done.stderr, done.code) == (
        "error: this gateway is too old to run a program of a service\n  help: upgrade it\n",
        1,
    )
