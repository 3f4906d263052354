"""The question before services are removed, and who is asked it."""

import pytest

from tests.cli.conftest import MILL, Mill
from tests.cli.example_files import AS_MILL
from tests.cli.fake_gateway import FakeGateway, as_json, rollout
from tests.cli.plans import DEPLOYED, DONE, OUTDATED, REMOVAL, REMOVAL_LINES, SAME
from tests.cli.screens import on_terminal

QUESTION = "remove 2 services (old, db) from shop/mill? [y/N]"


def test_a_terminal_is_asked_before_services_are_removed(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(REMOVAL))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    with on_terminal(mill, "deploy", mill.file(AS_MILL)) as terminal:
        terminal.wait_for(QUESTION)
        assert gateway.asked == []
        terminal.press(b"yes\n")
        assert terminal.end() == 0
        shown = terminal.everything
    assert REMOVAL_LINES + QUESTION in shown
    assert shown.endswith(DEPLOYED)


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"yeah\n", b"\x04"], ids=["no", "nothing", "not yes", "end"])
def test_the_answer_no_changes_nothing(mill: Mill, gateway: FakeGateway, answer: bytes) -> None:
    gateway.plans(as_json(REMOVAL))
    with on_terminal(mill, "deploy", mill.file(AS_MILL)) as terminal:
        terminal.wait_for(QUESTION)
        terminal.press(answer)
        assert terminal.end() == 1
        assert terminal.everything.endswith("error: canceled: nothing was changed\n")
    assert gateway.asked == []


def test_ctrl_c_at_the_question_changes_nothing(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(REMOVAL))
    with on_terminal(mill, "deploy", mill.file(AS_MILL)) as terminal:
        terminal.wait_for(QUESTION)
        terminal.press(b"\x03")
        assert terminal.end() == 130
    assert gateway.asked == []


@pytest.mark.parametrize("options", [["--yes"], ["-y", "--quiet"]])
def test_nothing_is_asked_after_yes(mill: Mill, gateway: FakeGateway, options: list[str]) -> None:
    gateway.plans(as_json(REMOVAL))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    with on_terminal(mill, "deploy", mill.file(AS_MILL), *options) as terminal:
        assert terminal.end() == 0
        assert QUESTION not in terminal.everything


def test_a_plan_that_became_a_removal_is_asked_about(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(SAME), as_json(REMOVAL))
    gateway.answers("POST", "/v1/deploy", OUTDATED, rollout(DONE))
    with on_terminal(mill, "deploy", mill.file(AS_MILL)) as terminal:
        terminal.wait_for(QUESTION)
        assert len(gateway.asked) == 1
        terminal.press(b"y\n")
        assert terminal.end() == 0


def test_a_file_in_a_pipe_is_asked_about_on_the_terminal(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(REMOVAL))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    with on_terminal(
        mill, "-c", f"cat {mill.file(AS_MILL)} | $MILL deploy - | cat", program="bash", MILL=str(MILL)
    ) as terminal:
        terminal.wait_for(QUESTION)
        terminal.press(b"y\n")
        assert terminal.end() == 0
        assert DEPLOYED in terminal.everything
    assert gateway.asked[0].body == AS_MILL.encode()


def test_without_a_terminal_to_answer_on_a_removal_is_refused(mill: Mill, gateway: FakeGateway) -> None:
    """Standard error is a terminal that is not the process's own, and standard input is the file."""
    gateway.plans(as_json(REMOVAL))
    script = f"setsid --wait $MILL deploy - < {mill.file(AS_MILL)}; echo code $?"
    with on_terminal(mill, "-c", script, program="bash", MILL=str(MILL)) as terminal:
        assert terminal.end() == 0
        assert "error: no terminal to ask on: remove 2 services (old, db) from shop/mill?" in terminal.everything
        assert "help: use --yes if that is meant\ncode 1\n" in terminal.everything
    assert gateway.asked == []
