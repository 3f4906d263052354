"""Tasks that run in a rollout: what `deploy` prints of them."""

import json
from typing import Any, Final

import pytest

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import FakeGateway, event, rollout, stream
from tests.cli.screens import on_terminal

FILE: Final = 'service "web" {\n  image = "web:1"\n}\ntask "migrate" {\n  image = "web:1"\n  before = ["web"]\n}\n'
WAITING: Final = ("task", {"task": "migrate", "state": "waiting", "message": "waiting for db"})
RUNNING: Final = ("task", {"task": "migrate", "state": "running", "run": "migrate-1", "elapsed": 0.4})
DONE: Final = (
    "task",
    {"task": "migrate", "state": "succeeded", "run": "migrate-1", "elapsed": 4.5, "duration": 4.1},
)
FAILED: Final = (
    "task",
    {"task": "migrate", "state": "failed", "code": "CommandFailed", "message": "container exited with code 3"},
)
HELD: Final = ("progress", {"service": "web", "phase": "waiting", "message": "waiting for task migrate"})
HEALTHY: Final = ("progress", {"service": "web", "phase": "healthy", "elapsed": 6.0})
NOT_BEGUN: Final = (
    "failed",
    {"service": "web", "reason": "not begun: task migrate has failed: container exited with code 3"},
)


def ended(*, success: bool) -> tuple[str, dict[str, Any]]:
    return "done", {"elapsed": 6.2, "success": success}


def test_what_becomes_of_a_task_is_printed_at_once(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(WAITING, RUNNING, HELD, RUNNING, DONE, HEALTHY, ended(success=True)))
    done = mill("deploy", "-", stdin=FILE)
    assert done.stdout == "  web: healthy\n  deployed (6.2s)\n"
    assert done.stderr.splitlines() == [
        "  migrate: waiting for db",
        "  migrate: running",
        "  migrate: done (4.1s)",
    ]


def test_a_run_that_does_not_start_says_why(mill: Mill, gateway: FakeGateway) -> None:
    pending = ("task", RUNNING[1] | {"message": "no nodes available: insufficient cpu"})
    gateway.answers("POST", "/v1/deploy", rollout(RUNNING, pending, RUNNING, DONE, HEALTHY, ended(success=True)))
    assert mill("deploy", "-", stdin=FILE).stderr.splitlines() == [
        "  migrate: running",
        "  migrate: not started: no nodes available: insufficient cpu",
        "  migrate: running",
        "  migrate: done (4.1s)",
    ]


def test_a_failed_task_says_why(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(RUNNING, HELD, FAILED, NOT_BEGUN, ended(success=False)))
    done = mill("deploy", "-", stdin=FILE)
    assert done.code == 1
    assert done.stdout.splitlines()[0] == f"  web: failed: {NOT_BEGUN[1]['reason']}"
    assert "  migrate: failed: container exited with code 3\n" in done.stderr


@pytest.mark.parametrize(("options", "has_task"), [([], True), (["--quiet"], False)])
def test_json_with_details_has_the_events_of_tasks(
    mill: Mill, gateway: FakeGateway, options: list[str], has_task: bool
) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(RUNNING, DONE, HEALTHY, ended(success=True)))
    done = mill("deploy", "-", "--json", "-v", *options, stdin=FILE)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert ({"event": "task", "data": DONE[1]} in events) is has_task


def test_quiet_prints_no_tasks(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(RUNNING, DONE, HEALTHY, ended(success=True)))
    done = mill("deploy", "-", "--quiet", stdin=FILE)
    assert "migrate" not in done.stdout + done.stderr


def test_a_stream_that_is_resumed_repeats_no_task(mill: Mill, gateway: FakeGateway) -> None:
    def notice(sent: tuple[str, dict[str, Any]]) -> bytes:
        return b"\r\n".join(line for line in event(*sent, "x").split(b"\r\n") if not line.startswith(b"id:"))

    pulling = event("progress", {"service": "web", "phase": "pulling"}, "8ffa93a4.2.1")
    gateway.answers("POST", "/v1/deploy", stream(pulling, notice(RUNNING), cut=True))
    gateway.answers(
        "GET",
        "/v1/deployments/mill/events",
        stream(
            notice(RUNNING),
            notice(DONE),
            event(*HEALTHY, "8ffa93a4.2.2"),
            event(*ended(success=True), "8ffa93a4.2.end"),
        ),
    )
    done = mill("deploy", "-", stdin=FILE)
    assert done.code == 0, done
    assert (done.stderr.count("migrate: running"), done.stderr.count("migrate: done")) == (1, 1)


def test_a_terminal_has_rows_of_tasks(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(RUNNING, HELD, DONE, HEALTHY, ended(success=True), pause=0.5))
    with on_terminal(mill, "deploy", mill.file(FILE), columns=100) as terminal:
        shown = terminal.wait_for("waiting for task migrate")
        assert any("migrate" in line and "running" in line for line in shown.splitlines())
        assert terminal.end() == 0
        shown = [line.strip() for line in terminal.everything.splitlines() if line.strip()]
        assert shown[1:] == ["migrate: done (4.1s)", "web:     healthy (6.0s)", "deployed: 1 healthy (6.2s)"]


def test_a_terminal_groups_no_failed_task_with_services(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(RUNNING, FAILED, NOT_BEGUN, ended(success=False), pause=0.2))
    with on_terminal(mill, "deploy", mill.file(FILE), columns=100) as terminal:
        assert terminal.end() == 1
        shown = [line.strip() for line in terminal.everything.splitlines() if line.strip()]
        assert shown[1:] == [
            "migrate: failed: container exited with code 3",
            "code: CommandFailed (`mill explain CommandFailed`)",
            "web:     failed: not begun: task migrate has failed: container exited with code 3",
            "failed: migrate, web",
            "deploy finished with errors: 1 failed (6.2s)",
        ]
