"""How a process ends from outside: by signals, and by an output that cannot be written."""

import json
import signal
import sys
import time
from dataclasses import replace

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, Asked, FakeGateway, as_json, event, rollout, stream
from tests.cli.listed import RUNS
from tests.cli.seed import EVENTS, LINES, SEED

PROGRESS = event("progress", {"service": "web", "phase": "scheduled", "node": "node-1"}, "8ffa93a4.2.1")
GOING = stream(PROGRESS, 30.0)
WATCH = "interrupted: the rollout continues; `mill watch --namespace shop` follows it\n"
LINGERING = """
import os, time
from mill_cli.main import run
end = os._exit
os._exit = lambda code: (time.sleep(0.5), end(code))
run()
"""
"""`mill` that leaves its threads time to speak after the end."""


@pytest.mark.parametrize("options", [[], ["--json"], ["-v"]], ids=["plain", "json", "verbose"])
@pytest.mark.parametrize(
    ("arguments", "method", "path", "told"),
    [
        (["deploy"], "POST", "/v1/deploy", WATCH),
        (["restart", "web"], "POST", "/v1/restart/web", WATCH),
        (["watch"], "GET", "/v1/deployments/mill/events", WATCH),
        (
            ["drain", "b"],
            "POST",
            "/v1/nodes/b/drain",
            "interrupted: the drain continues; `mill drain b` follows it\n",
        ),
    ],
)
def test_ctrl_c_says_how_to_follow_the_operation_again(
    mill: Mill, gateway: FakeGateway, arguments: list[str], method: str, path: str, told: str, options: list[str]
) -> None:
    mill.file(SEED, "mill.conf")
    gateway.answers(method, path, GOING)
    gateway.answers("GET", "/v1/deployments/mill", as_json({"spec": {"services": [{"name": "web"}]}}))
    with mill.started(*arguments, *options) as running:
        line = running.line()
        done = running.ended(signal.SIGINT)
    assert (json.loads(line)["event"] == "progress") if "--json" in options else ("scheduled on node-1" in line)
    assert (done.stdout, done.code) == ("", 3)
    if "--json" in options:
        message = told.removeprefix("interrupted: ").removesuffix("\n")
        assert json.loads(done.stderr) == {"error": message, "code": "interrupted"}
    else:
        assert done.stderr == told


TIMED_OUT = (
    "error: the rollout has not finished after 1.5s\n"
    "  help: the rollout continues; `mill watch --namespace shop` follows it\n"
)
TIMED_OUT_JSON = {
    "error": "the rollout has not finished after 1.5s",
    "code": "timeout",
    "help": ["the rollout continues; `mill watch --namespace shop` follows it"],
}


@pytest.mark.parametrize("options", [[], ["--json"], ["-v"], ["-q"]], ids=["plain", "json", "verbose", "quiet"])
@pytest.mark.parametrize(
    ("arguments", "method", "path"),
    [
        (["deploy"], "POST", "/v1/deploy"),
        (["restart", "web"], "POST", "/v1/restart/web"),
        (["watch"], "GET", "/v1/deployments/mill/events"),
    ],
)
def test_a_timeout_says_how_to_follow_the_rollout_again(
    mill: Mill, gateway: FakeGateway, arguments: list[str], method: str, path: str, options: list[str]
) -> None:
    mill.file(SEED, "mill.conf")
    second = event("progress", {"service": "web", "phase": "scheduled", "node": "node-2"}, "8ffa93a4.2.2")
    gateway.answers(method, path, stream(PROGRESS, *[second, 0.1] * 300))  # events do not put it off
    gateway.answers("GET", "/v1/deployments/mill", as_json({"spec": {"services": [{"name": "web"}]}}))
    done = mill(*arguments, *options, "--timeout", "1500ms")
    told = json.loads(done.stderr) if "--json" in options else done.stderr
    assert (told, done.code) == (TIMED_OUT_JSON if "--json" in options else TIMED_OUT, 3)
    assert ("node-1" in done.stdout) is ("-q" not in options)


def test_a_rollout_within_the_timeout_ends_as_without(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", mill.file(SEED), "--timeout", "5m")
    assert (done.stdout, done.stderr, done.code) == (LINES, "", 1)


def test_lines_that_wait_for_earlier_services_are_shown_at_the_timeout(mill: Mill, gateway: FakeGateway) -> None:
    later = event("progress", {"service": "broken", "phase": "healthy"}, "8ffa93a4.2.1")
    gateway.answers("POST", "/v1/deploy", stream(later, 30.0))
    done = mill("deploy", mill.file(SEED), "--timeout", "4s")
    assert (done.stdout, done.code) == ("  broken: healthy\n", 3)


def test_a_timeout_before_the_answer_says_that_it_may_continue(mill: Mill, gateway: FakeGateway) -> None:
    def answer_late(_: Asked) -> Answer:
        time.sleep(5)
        return GOING

    gateway.answers("POST", "/v1/deploy", answer_late)
    done = mill("deploy", mill.file(SEED), "--timeout", "1s")
    rejoin = "if the rollout has started, it continues; `mill watch` follows it"
    assert (done.stderr, done.code) == (f"error: the rollout has not finished after 1s\n  help: {rejoin}\n", 3)


@pytest.mark.parametrize(
    ("timeout", "problem"),
    [
        ("5", "a unit is missing, as in 5s or 5m"),
        ("soon", "expected a number, got 'soon'"),
        ("0s", "expected more than 0s"),
        ("", "it is empty"),
    ],
)
def test_a_timeout_that_is_no_duration_is_refused(mill: Mill, gateway: FakeGateway, timeout: str, problem: str) -> None:
    done = mill("deploy", mill.file(SEED), "--timeout", timeout)
    assert done.stderr.startswith("error: invalid value for --timeout <DURATION>: ")
    assert (problem in done.stderr, done.code, gateway.requests) == (True, 2, [])


@pytest.mark.parametrize("arguments", [["watch"], ["logs", "--all", "--follow"]])
def test_what_it_closes_itself_is_no_lost_connection(mill: Mill, gateway: FakeGateway, arguments: list[str]) -> None:
    beating = [b": heartbeat\n\n", 0.05] * 100  # whoever only waits does not notice that its connection is closed
    gateway.answers("GET", "/v1/deployments/mill/events", stream(PROGRESS, *beating))
    gateway.answers("GET", "/v1/services", as_json([{"name": "web"}]))
    gateway.answers("GET", "/v1/logs/web", stream(event(None, {"line": "listening"}), *beating))
    lingering = replace(mill, command=(sys.executable, "-c", LINGERING))
    with lingering.started(*arguments, "--verbose") as running:
        assert running.line()
        done = running.ended(signal.SIGINT)
    assert "connection lost" not in done.stderr


def test_ctrl_c_before_there_is_an_answer(mill: Mill, gateway: FakeGateway) -> None:
    def slow(_: Asked) -> Answer:
        time.sleep(5)
        return GOING

    gateway.answers("POST", "/v1/deploy", slow)
    gateway.answers("GET", "/v1/nodes", slow)
    maybe = "interrupted: if the rollout has started, it continues; `mill watch` follows it\n"
    for arguments, code, said in ((["deploy", mill.file(SEED)], 3, maybe), (["nodes"], 130, "\n")):
        with mill.started(*arguments) as running:
            while not gateway.asked:
                time.sleep(0.01)
            gateway.asked.clear()
            done = running.ended(signal.SIGINT)
        assert (done.stdout, done.stderr, done.code) == ("", said, code)


@pytest.mark.parametrize("arguments", [["logs", "web", "-f"], ["logs", "--all", "--follow"]])
def test_ctrl_c_ends_logs(mill: Mill, gateway: FakeGateway, arguments: list[str]) -> None:
    gateway.answers("GET", "/v1/services", as_json([{"name": "web"}]))
    gateway.answers("GET", "/v1/logs/web", stream(event(None, {"line": "listening"}), 30.0))
    with mill.started(*arguments) as running:
        assert running.line().endswith("listening\n")
        done = running.ended(signal.SIGINT)
    assert (done.stdout, done.stderr.strip(), done.code) == ("", "", 130)


def test_sigterm_ends_the_process_with_143(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", GOING)
    with mill.started("deploy", mill.file(SEED)) as running:
        assert running.line() == "  web:    scheduled on node-1\n"
        done = running.ended(signal.SIGTERM)
    assert (done.stdout, done.stderr, done.code) == ("", "", 128 + signal.SIGTERM)


@pytest.mark.parametrize("command", ["deploy", "deploy --json", "ps", "explain", "logs web"])
def test_a_reader_that_has_had_enough(mill: Mill, gateway: FakeGateway, command: str) -> None:
    mill.file(SEED, "mill.conf")
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS[1:3] * 4, EVENTS[3], pause=0.3))
    gateway.answers("GET", "/v1/tasks", as_json(RUNS * 5000))
    gateway.answers("GET", "/v1/logs/web", stream(*([event(None, {"line": "x" * 1000})] * 1000)))
    done = mill.shell(f"mill {command} | head -1 | cut -c1-9; echo ${{PIPESTATUS[0]}}")
    first, code = done.stdout.splitlines()
    assert (first != "", done.stderr) == (True, "")
    assert int(code) == (4 if command != "explain" else 0)  # the latter is done before anybody has looked


@pytest.mark.parametrize("command", ["ps", "ps --json", "deploy", "explain", "--help", "--version", "status --help"])
def test_a_disk_that_is_full(mill: Mill, gateway: FakeGateway, command: str) -> None:
    mill.file(SEED, "mill.conf")
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    gateway.answers("GET", "/v1/tasks", as_json(RUNS))
    done = mill.shell(f"mill {command} > /dev/full")
    message = "cannot write the output: No space left on device"
    assert done.code == 4
    if "--json" in command:
        assert json.loads(done.stderr) == {"error": message, "code": "cannot_write_output"}
    else:
        assert done.stderr == f"error: {message}\n"


def test_streams_that_are_closed_from_the_start(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/tasks", as_json(RUNS))
    gateway.answers("POST", "/v1/deploy", rollout(("done", {"success": True})))
    assert mill.shell("mill ps >&-").code == 0
    assert mill.shell("mill nope 2>&-").code == 2
    assert mill.shell("mill ps <&- >&- 2>&-").code == 0
    assert mill.shell("mill deploy - --allow-empty <&-").stdout == "  deployed\n"
    assert gateway.asked[-1].body == b""


def test_names_that_the_output_does_not_have(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", "/v1/secrets", as_json([{"name": "schlüssel"}]))
    done = mill("secret", "list", PYTHONIOENCODING="ascii")
    assert (done.stdout, done.stderr, done.code) == (" NAME      \n schl\\xfcssel \n", "", 0)
