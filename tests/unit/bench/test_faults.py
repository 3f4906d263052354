"""The lines of a command with their times, and the table of what a CI log shows."""

import sys

from tests.bench.command import Line, Timed, timed
from tests.bench.faults import FAULTS, section

SCRIPT = """
import sys
print("plan", file=sys.stderr, flush=True)
print("bad: failed", flush=True)
sys.exit(3)
"""


def test_the_lines_of_both_streams_are_kept() -> None:
    found = timed([sys.executable, "-c", SCRIPT], {}, 30)
    assert found.code == 3
    assert {(each.stream, each.text) for each in found.lines} == {("stderr", "plan"), ("stdout", "bad: failed")}
    assert all(0 < each.seconds <= found.seconds for each in found.lines)


def test_the_table_has_the_first_line_the_cause_and_the_verdict() -> None:
    tag = FAULTS[0]
    waiting = Line(5.0, "stderr", "bad: waiting: image pull failed: a | b")
    verdict = Line(9.0, "stdout", "  bad: failed: image pull failed: tag not found")
    runs = [
        (tag, Timed(1, 9.5, (Line(0.5, "stderr", "deploying"), waiting, verdict))),
        (tag, Timed(1, 8.5, (Line(1.5, "stdout", "  web: scheduled"), verdict))),
    ]
    row, *others = section(runs, "Today.").rows
    assert row == [
        "tag missing",
        "1.0",
        "7.0",
        "`bad: waiting: image pull failed: a ¦ b`",
        "9.0",
        "`bad: failed: image pull failed: tag not found`",
        "9.0",
        "1",
    ]
    assert all(each[1:] == ["-"] * 7 for each in others)
