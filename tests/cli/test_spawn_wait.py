"""`mill spawn --wait`: the log of a run, its end as exit code, and runs that never start."""

import json
import signal
from typing import Any

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import NOTHING, Answer, FakeGateway, as_json, refusal
from tests.cli.runs import ENDED, ID, STARTED, log, run

RUN = f"/v1/tasks/{ID}"
LOG = f"/v1/logs/{ID}"
SPAWNED = {"id": ID, "node": "", "status": "starting", "address": None, "name": "migrate"}
UNSET = {"task": None, "image": None, "cpu": None, "memory": None, "timeout": None, "env": {}}
NO_TAG = {
    "reason": "TagNotFound",
    "message": "image pull failed: tag not found",
    "detail": "image web:9",
    "suggestion": "Check the name and tag of the image.",
}


@pytest.fixture
def spawned(gateway: FakeGateway) -> FakeGateway:
    gateway.answers("POST", "/v1/tasks/spawn", as_json(SPAWNED))
    gateway.answers("DELETE", RUN, NOTHING)
    return gateway


def test_the_log_is_the_output_and_success_is_0(mill: Mill, spawned: FakeGateway) -> None:
    spawned.answers("GET", LOG, log("step 1", 0.2, "step 2"))
    states = [run("Pending"), run("Running", **STARTED), run("Succeeded", **ENDED, exit_code=0)]
    spawned.answers("GET", RUN, *map(as_json, states))
    done = mill("spawn", "migrate", "--wait", "-n", "shop")
    assert (done.stdout, done.code) == ("step 1\nstep 2\n", 0)
    assert done.stderr == f"run {ID} created\nrun {ID} succeeded (3.2s)\n"
    asked = spawned.asked[0]
    assert (asked.query, json.loads(asked.body)) == (
        {"namespace": "shop"},
        UNSET | {"task": "migrate", "wait": False},
    )
    queries = {each.path: each.query for each in spawned.asked}
    assert queries[LOG] == {"namespace": "shop", "follow": "true", "tail": "10000"}
    assert queries[RUN] == {"namespace": "shop"}
    assert "DELETE" not in {each.method for each in spawned.asked}


@pytest.mark.parametrize(
    ("ended", "error", "code"),
    [
        (
            run("Failed", **ENDED, exit_code=3, reason="ContainerExited", message="container exited with code 3"),
            f"error: run {ID} failed: container exited with code 3\n",
            3,
        ),
        (
            run("Failed", **ENDED, exit_code=143, **(NO_TAG | {"reason": "DeadlineExceeded", "message": "timed out"})),
            (
                f"error: run {ID} failed: timed out (image web:9)\n"
                "  help: Check the name and tag of the image.\n  help: `mill explain DeadlineExceeded` says more\n"
            ),
            1,
        ),
        (run("Stopped", **ENDED, exit_code=143), f"error: run {ID} was stopped\n", 1),
    ],
    ids=["its program's own", "out of time", "stopped by another"],
)
def test_a_run_that_does_not_succeed_gives_its_exit_code(
    mill: Mill, spawned: FakeGateway, ended: dict[str, Any], error: str, code: int
) -> None:
    spawned.answers("GET", LOG, log("working"))
    spawned.answers("GET", RUN, as_json(ended))
    done = mill("spawn", "migrate", "--wait", "--quiet")
    assert (done.stdout, done.stderr, done.code) == ("working\n", error, code)
    as_lines = mill("spawn", "migrate", "--wait", "--json")
    assert [json.loads(each) for each in as_lines.stdout.splitlines()] == [{"alloc": "p", "line": "working"}, ended]
    assert (json.loads(as_lines.stderr)["code"], as_lines.code) == ("run_failed", code)


@pytest.mark.parametrize("last", [[], [run("Running", **STARTED)]], ids=["at once", "later than the log"])
def test_the_end_may_be_reported_after_the_log(mill: Mill, spawned: FakeGateway, last: list[dict[str, Any]]) -> None:
    spawned.answers("GET", LOG, log("done"))
    unexplained = run("Failed", **ENDED, exit_code=2)
    caused = unexplained | {"reason": "ContainerExited", "message": "container exited with code 2"}
    spawned.answers("GET", RUN, *map(as_json, (*last, unexplained, unexplained, caused)))
    done = mill("spawn", "migrate", "--wait")
    assert (done.stdout, done.code) == ("done\n", 2)
    assert done.stderr.endswith(f"error: run {ID} failed: container exited with code 2\n")


def test_a_run_that_cannot_start_is_deleted_and_explained(mill: Mill, spawned: FakeGateway) -> None:
    waits = {"reason": "RegistryUnavailable", "message": "image pull failed: registry unavailable"}
    spawned.answers("GET", LOG, log(ends=False))
    states = [run("Pending"), run("Pending", **waits), run("Pending", **waits), run("Failed", **NO_TAG)]
    spawned.answers("GET", RUN, *map(as_json, states))
    done = mill("spawn", "migrate", "--wait")
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == (
        f"run {ID} created\n"
        f"run {ID} waits: image pull failed: registry unavailable\n"
        f"error: run {ID} failed: image pull failed: tag not found (image web:9)\n"
        "  help: Check the name and tag of the image.\n"
        "  help: `mill explain TagNotFound` says more\n"
    )
    assert spawned.asked[-1].method == "DELETE"


def test_a_program_that_is_not_in_its_image_has_no_exit_code_of_its_own(mill: Mill, spawned: FakeGateway) -> None:
    spawned.answers("GET", LOG, log())
    never = run("Failed", finished_at="2026-02-14T10:00:04Z", exit_code=128, reason="CommandNotFound", message="no")
    spawned.answers("GET", RUN, as_json(never))
    assert mill("spawn", "migrate", "--wait").code == 1
    assert "DELETE" not in {each.method for each in spawned.asked}


def test_ctrl_c_leaves_the_run(mill: Mill, spawned: FakeGateway) -> None:
    spawned.answers("GET", LOG, log("working", ends=False))
    spawned.answers("GET", RUN, as_json(run("Running", **STARTED)))
    with mill.started("spawn", "migrate", "--wait", "-n", "shop") as running:
        assert running.line() == "working\n"
        done = running.ended(signal.SIGINT)
    assert done.code == 3
    assert done.stderr == (
        f"run {ID} created\n"
        f"interrupted: the run continues; `mill logs {ID} --wait --namespace shop` waits for it again, "
        f"with its exit code, `mill kill {ID} --namespace shop` stops it\n"
    )
    assert "DELETE" not in {each.method for each in spawned.asked}


def test_a_run_is_waited_for_again(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", LOG, log("working", "giving up"))
    failed = run("Failed", **ENDED, exit_code=3, reason="ContainerExited", message="container exited with code 3")
    gateway.answers("GET", RUN, as_json(run("Running", **STARTED)), as_json(failed))
    done = mill("logs", ID, "--wait", "-n", "shop")
    assert (done.stdout, done.code) == ("working\ngiving up\n", 3)
    assert done.stderr == f"error: run {ID} failed: container exited with code 3\n"
    assert {each.query.get("namespace") for each in gateway.asked} == {"shop"}


def test_a_run_that_cannot_start_is_not_deleted_by_who_only_waits(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("GET", LOG, log(ends=False))
    gateway.answers("GET", RUN, as_json(run("Failed", **NO_TAG)))
    assert mill("logs", ID, "--wait").code == 1
    assert "DELETE" not in {each.method for each in gateway.asked}


def test_what_is_no_run_is_not_waited_for(mill: Mill, gateway: FakeGateway) -> None:
    unknown = refusal(
        404, "task not found", code="run_not_found", kind="run", name="web", namespace="shop", existing=[ID]
    )
    gateway.answers("GET", "/v1/tasks/web", unknown)
    done = mill("logs", "web", "--wait")
    assert (done.code, done.stderr.splitlines()[0]) == (1, 'error: no run "web" in namespace shop')
    for more in (["--follow"], ["--tail", "5"], ["--all"]):
        wrong = mill("logs", *([ID] if more != ["--all"] else []), "--wait", *more)
        assert (wrong.code, wrong.stderr.splitlines()[0]) == (
            2,
            "error: --wait takes the name of a run, and no other option of `mill logs`",
        )


def test_a_caller_who_may_not_read_logs_waits_anyway(mill: Mill, spawned: FakeGateway) -> None:
    spawned.answers("GET", LOG, refusal(403, "bot may not get pods/log in namespace shop"))
    states = [run("Running", **STARTED), run("Running", **STARTED), run("Succeeded", **ENDED, exit_code=0)]
    spawned.answers("GET", RUN, *map(as_json, states))
    done = mill("spawn", "migrate", "--wait")
    assert (done.stdout, done.code) == ("", 0)
    assert "cannot show the log: bot may not get pods/log in namespace shop\n" in done.stderr


def test_a_gateway_that_is_away_for_a_moment_is_asked_again(mill: Mill, spawned: FakeGateway) -> None:
    spawned.answers("GET", LOG, log("done"))
    away, ended = refusal(503, "starting"), as_json(run("Succeeded", **ENDED, exit_code=0))
    spawned.answers("GET", RUN, away, Answer(reset=True), away, ended)
    assert mill("spawn", "migrate", "--wait").code == 0


def test_a_gateway_of_release_0_1_is_followed_by_its_status(mill: Mill, spawned: FakeGateway) -> None:
    spawned.answers("GET", LOG, log("done"))
    old = {"id": ID, "name": "migrate", "node": "node-1", "address": None, "cpu": 0.2, "memory": 1}
    spawned.answers("GET", RUN, as_json(old | {"status": "running"}), as_json(old | {"status": "failed"}))
    assert mill("spawn", "migrate", "--wait").code == 1
