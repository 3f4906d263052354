"""A slice of `make fuzz`, in seconds; and that what fails, takes too long or hangs is found and can be made again."""

import time
from pathlib import Path

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.runner import Run, run, saved
from tests.fuzz.target import Target, input_of
from tests.fuzz.targets import TARGETS
from tests.fuzz.texts import text
from tests.fuzz.worker import attempt, tried

INPUTS = 150


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_everything_holds_for_the_first_inputs(target: Target) -> None:
    for number in range(INPUTS):
        assert (failure := tried(target, 1, number)) is None, failure


def test_names_of_targets_are_their_own() -> None:
    assert len({each.name for each in TARGETS}) == len(TARGETS)


def no_x(value: str) -> None:
    assert "x" not in value


def never(value: str) -> None:
    while "x" in value:
        time.sleep(0.01)


def slow(value: str) -> None:
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass


def letters(check: object, **more: float) -> Target:
    return Target("letters", lambda rng: text(rng, ("x", "y")), check, **more)  # type: ignore[arg-type]


def test_an_input_is_always_the_same() -> None:
    target = letters(no_x)
    assert [input_of(target, 7, 3) for _ in range(3)] == [input_of(target, 7, 3)] * 3
    assert len({input_of(target, seed, 3) for seed in range(20)}) > 1


def test_a_failing_input_is_reduced_and_saved(tmp_path: Path) -> None:
    result = run([letters(no_x), letters(lambda _: None)], Run(inputs=1000, seed=1, jobs=2))
    assert result.failures
    for failure in result.failures:
        assert failure.input == "x"
        assert failure.message.startswith("AssertionError at ")
        assert saved(failure, tmp_path).read_text() == "x"
        assert "x" in input_of(letters(no_x), failure.seed, failure.number)


def test_a_slow_input_fails() -> None:
    message = attempt(letters(slow, seconds=0.01), "y")
    assert message is not None
    assert message.startswith("slow: ")


def test_a_hanging_input_is_ended_and_the_rest_continues() -> None:
    first = next(number for number in range(100) if "x" in input_of(letters(never), 1, number))
    result = run([letters(never)], Run(inputs=first + 1, seed=1, jobs=1, hang=0.5))
    (failure,) = result.failures
    assert (failure.number, failure.message) == (first, "hangs: more than 0.5 s")


def test_the_command_reports_the_number_of_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--targets", "event-ids,sizes", "--inputs", "200", "--jobs", "1"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in told[:2]] == [["event-ids", "200", "inputs"], ["sizes", "200", "inputs"]]
    assert main(["--targets", "sizes", "--input", "5"]) == 0
    assert capsys.readouterr().out.endswith("\ngood\n")
    assert main(["--targets", "nothing"]) == 2
