"""`--quiet`: failures, errors and final results, and nothing else."""

import json
from typing import Any

import pytest

from mill_cli.output.run_table import newest_first
from tests.cli.conftest import Mill
from tests.cli.fake_gateway import NOTHING, FakeGateway, as_json, refusal, rollout
from tests.cli.listed import NODES, RUNS
from tests.cli.seed import EVENTS, LINES, SEED

WATCHED = "/v1/deployments/mill/events"
FAILURES = "".join(LINES.splitlines(keepends=True)[2:])
SUCCESS = (
    ("progress", {"service": "web", "phase": "scheduled", "node": "node-1"}),
    ("progress", {"service": "web", "phase": "healthy"}),
    ("done", {"elapsed": 4.2, "success": True}),
)


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_a_deploy_prints_failures_and_the_last_line(mill: Mill, gateway: FakeGateway, option: str) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", option, mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == (FAILURES, "", 1)


@pytest.mark.parametrize(
    ("arguments", "method", "path", "line"),
    [
        (["deploy", "production.mill"], "POST", "/v1/deploy", "  deployed (4.2s)\n"),
        (["restart", "web"], "POST", "/v1/restart/web", "  restarted (4.2s)\n"),
        (["watch", "--service", "web"], "GET", WATCHED, "  deployed (4.2s)\n"),
    ],
)
def test_a_rollout_that_succeeds_prints_only_the_last_line(
    mill: Mill, gateway: FakeGateway, arguments: list[str], method: str, path: str, line: str
) -> None:
    mill.file(SEED)
    gateway.answers(method, path, rollout(*SUCCESS))
    done = mill("--quiet", *arguments)
    assert (done.stdout, done.stderr, done.code) == (line, "", 0)


def test_json_has_only_the_failures_and_the_result(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", "-q", "--json", mill.file(SEED))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["event"], each["data"]) for each in events] == [EVENTS[0], EVENTS[-1]]
    assert (done.stderr, done.code) == ("", 1)


def test_a_drain_prints_failures_and_the_last_line(mill: Mill, gateway: FakeGateway) -> None:
    path = "/v1/nodes/b/drain"
    progress, failed = ("progress", {"phase": "started"}), ("failed", {"service": "web", "reason": "no node"})
    gateway.answers("POST", path, rollout(progress, failed, ("done", {"elapsed": 1.0, "success": False})))
    done = mill("drain", "b", "-q")
    assert (done.stdout, done.stderr, done.code) == (
        "  web: drain failed: no node\n  drain finished with errors\n",
        "",
        1,
    )


def test_spawn_prints_the_id_alone(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/tasks/spawn", as_json({"id": "job-1", "address": None, "status": "running"}))
    done = mill("spawn", "job", "-q")
    assert (done.stdout, done.stderr, done.code) == ("job-1\n", "", 0)


@pytest.mark.parametrize(
    ("arguments", "method", "path"),
    [
        (["kill", "job-1"], "DELETE", "/v1/tasks/job-1"),
        (["remove", "b"], "DELETE", "/v1/nodes/b"),
        (["secret", "set", "a", "b"], "PUT", "/v1/secrets/a"),
        (["secret", "delete", "a"], "DELETE", "/v1/secrets/a"),
        (["volume", "delete", "a"], "DELETE", "/v1/volumes/a"),
    ],
)
def test_a_confirmation_is_left_out_and_an_error_is_not(
    mill: Mill, gateway: FakeGateway, arguments: list[str], method: str, path: str
) -> None:
    gateway.answers(method, path, NOTHING, refusal(404, "not found"))
    done = mill(*arguments, "-q")
    assert (done.stdout, done.stderr, done.code) == ("", "", 0)
    done = mill(*arguments, "-q")
    assert (done.stdout, done.stderr, done.code) == ("", "error: not found\n", 1)


@pytest.mark.parametrize(
    ("arguments", "path", "answer", "names"),
    [
        (["secret", "list"], "/v1/secrets", [{"name": "a"}, {"name": "b\x1b"}], "a\nb�\n"),
        (["volume", "list"], "/v1/volumes", [{"name": "a", "state": "x", "node": None, "cloud_id": "y"}], "a\n"),
        (["nodes"], "/v1/nodes", NODES, "3f9a0c11d2e4b567\nb\n"),
        (["ps"], "/v1/tasks", RUNS, "".join(f"{run['id']}\n" for run in newest_first(RUNS))),
        (["ps"], "/v1/tasks", [], ""),
        (["history", "--rollouts"], "/v1/deployments/mill", {"status": None}, ""),
        (
            ["history"],
            "/v1/deployments/mill/revisions",
            [{"revision": 2, "created_at": None, "changed": [], "summary": "succeeded"}],
            "2\n",
        ),
    ],
)
def test_a_list_prints_names_alone(
    mill: Mill, gateway: FakeGateway, arguments: list[str], path: str, answer: Any, names: str
) -> None:
    gateway.answers("GET", path, as_json(answer))
    done = mill(*arguments, "-q")
    assert (done.stdout, done.stderr, done.code) == (names, "", 0)
    assert json.loads(mill(*arguments, "-q", "--json").stdout) == (answer if "status" not in answer else [])


def test_a_diff_prints_the_last_line(mill: Mill, gateway: FakeGateway) -> None:
    service = {"name": "web", "change": "added", "fields": []}
    plan = {"changed": True, "created": True, "services": [service], "tasks": [], "name": "mill", "namespace": "shop"}
    gateway.plans(as_json(plan))
    done = mill("diff", "-q", mill.file(SEED))
    assert (done.stdout, done.stderr, done.code) == ("shop/mill: new; 1 added\n", "", 0)


def test_validate_prints_problems_alone(mill: Mill) -> None:
    done = mill("validate", "-q", mill.file('service "web" {\n  image = "web:1"\n}\n'))
    assert (done.stdout, done.stderr, done.code) == ("", "", 0)
    done = mill("validate", "-q", mill.file("nonsense {"))
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr.startswith("error: ")


def test_quiet_and_verbose_exclude_each_other(mill: Mill, gateway: FakeGateway) -> None:
    done = mill("ps", "-q", "-v")
    assert (done.stdout, done.code, gateway.asked) == ("", 2, [])
    assert done.stderr.startswith("error: --quiet and --verbose exclude each other\n")
