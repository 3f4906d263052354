"""What people do while a rollout is shown: Ctrl-C, Ctrl-Z, other keys; and what else may come in between."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hack.pictures.terminal import CTRL_C, CTRL_Z, Terminal
from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, Asked, FakeGateway, as_json, refusal
from tests.cli.screens import SERVICES, Script, announced, counted, on_terminal, still

LEFT = "  web:    scheduled on node-1\n  broken: pulling the image\n"
JOINS = "interrupted: the rollout continues; `mill watch --namespace shop` follows it\n"


@pytest.fixture
def script(gateway: FakeGateway) -> Iterator[Script]:
    """The stream that a deploy is answered with: web has begun, broken is pulled."""
    made = Script()
    gateway.answers("POST", "/v1/deploy", made.answer())
    counted(gateway, ("web", "Starting", 1, 2), ("broken", "Pulling", 0, 1))
    made.phase("web", "scheduled", node="node-1")
    made.phase("broken", "pulling")
    yield made
    made.end()


def rows_of(terminal: Terminal) -> str:
    """Wait for the rows of such a deploy."""
    return terminal.wait_for(lambda seen: "1/2" in seen and "0/1" in seen)


def test_ctrl_c_leaves_the_rollout_alone_and_says_how_to_follow_it(mill: Mill, script: Script) -> None:
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        rows_of(terminal)
        terminal.press(CTRL_C)
        assert terminal.end() == 3
        assert announced(terminal.everything) == f"{LEFT}{JOINS}"
        assert terminal.picture.cursor == (0, 4)
        assert terminal.echoes()


def test_ctrl_c_before_there_is_an_answer(mill: Mill, gateway: FakeGateway) -> None:
    asked = threading.Event()

    def hang(_: Asked) -> Answer:
        asked.set()
        time.sleep(5)
        return Answer(503)

    gateway.answers("POST", "/v1/deploy", hang)
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        assert asked.wait(20)
        assert announced(terminal.watch(0.2)) == ""
        terminal.press(CTRL_C)
        assert terminal.end() == 3
        assert (
            announced(terminal.seen)
            == "^Cinterrupted: if the rollout has started, it continues; `mill watch` follows it\n"
        )


def test_ctrl_c_before_there_is_a_plan_changes_nothing(mill: Mill) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with on_terminal(mill, "deploy", mill.file(SERVICES), MILL_ADDRESS=address) as terminal:
            connection, _ = silent.accept()
            with connection:
                connection.recv(10)
                assert announced(terminal.watch(0.2)) == ""
                terminal.press(CTRL_C)
                assert terminal.end() == 130


def test_sigterm_leaves_the_terminal_as_it_was(mill: Mill, script: Script) -> None:
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        rows_of(terminal)
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
        assert announced(terminal.everything) == LEFT
        assert terminal.picture.cursor == (0, 3)
        assert terminal.echoes()


def test_other_keys_do_not_shift_the_rows(mill: Mill, script: Script) -> None:
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        before = still(rows_of(terminal))
        assert not terminal.echoes()
        terminal.press(b"\n\nls\n")
        terminal.watch(0.5)
        assert still(terminal.seen) == before
        script.tell("done", elapsed=1.0, success=False)
        assert terminal.end() == 1


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(mill: Mill, script: Script) -> None:
    with on_terminal(mill, "deploy", mill.file(SERVICES)) as terminal:
        rows_of(terminal)
        terminal.press(CTRL_Z)
        terminal.wait_for(lambda seen: announced(seen) == "")
        terminal.watch(0.3)
        assert terminal.picture.cursor == (0, 1)
        assert terminal.echoes()
        terminal.signal(signal.SIGCONT)
        rows_of(terminal)
        assert not terminal.echoes()
        script.tell("done", elapsed=1.0, success=False)
        assert terminal.end() == 1
        assert announced(terminal.everything) == f"{LEFT}  deploy finished with errors: 2 starting (1.0s)\n"


def test_a_lost_connection_is_shown_until_there_is_another(mill: Mill, gateway: FakeGateway) -> None:
    first, second = Script(), Script()
    gateway.answers("POST", "/v1/deploy", first.answer(cut=True))
    gateway.answers("GET", "/v1/deployments/mill/events", refusal(503, "not yet"))
    counted(gateway, ("web", "Starting", 1, 2))
    first.phase("web", "starting")
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        terminal.wait_for("1/2")
        first.end()
        seen = terminal.wait_for("reconnecting")
        assert still(seen) == ("* web  1/2   0s  starting\n* reconnecting; the rollout continues\n")
        gateway.answers("GET", "/v1/deployments/mill/events", second.answer())
        assert "starting" in terminal.wait_for(lambda seen: "reconnecting" not in seen)
        second.phase("web", "healthy")
        second.tell("done", elapsed=4.0, success=True)
        assert terminal.end() == 0
        assert announced(terminal.everything) == "  web: healthy\n  deployed: 1 healthy (4.0s)\n"
    resumed = [each for each in gateway.asked if each.path.endswith("/events")]
    assert resumed[-1].headers["last-event-id"] == "8ffa93a4.2.1"


def test_a_rollout_of_which_nothing_is_heard(mill: Mill, gateway: FakeGateway) -> None:
    script = Script()
    gateway.answers("POST", "/v1/deploy", script.answer())
    with on_terminal(mill, "deploy", mill.file('service "web" {}')) as terminal:
        terminal.wait_for("waiting for the operator")
        script.phase("web", "starting")
        terminal.wait_for(lambda seen: "starting" in seen and "operator" not in seen)
        script.tell("done", elapsed=4.0, success=False)
        assert terminal.end() == 1


@pytest.mark.parametrize(
    ("answer", "code", "seen"),
    [
        (refusal(400, "invalid config: no services"), 1, "error: invalid config: no services\n"),
        (refusal(409, "managed by Argo CD"), 1, "error: managed by Argo CD\n"),
        (None, 2, "error: connection refused — is the cluster running? (address: http://127.0.0.1:9)\n"),
    ],
)
def test_nothing_else_is_drawn_of_a_deploy_that_is_refused(
    mill: Mill, gateway: FakeGateway, answer: Answer | None, code: int, seen: str
) -> None:
    variables: dict[str, Any] = {} if answer else {"MILL_ADDRESS": "http://127.0.0.1:9"}
    gateway.answers("POST", "/v1/deploy", answer or as_json({}))
    with on_terminal(mill, "deploy", mill.file(SERVICES), columns=120, **variables) as terminal:
        assert terminal.end() == code
        assert announced(terminal.everything) == seen
        assert terminal.raw.count(b"\x1b") == 2, "the line that announces the deploy is dim"
