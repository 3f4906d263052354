"""What a run is, by what a gateway reports of it: of this release, of the one before, and of a newer one."""

from typing import Any

import pytest

from mill_cli.output.ages import age
from mill_cli.output.run_table import newest_first, run_table
from mill_cli.runs import cannot_start, exit_code, has_ended, ran, suggestions, word

AT = "2026-02-14T10:00:00Z"
ENDED = {"started_at": AT, "finished_at": "2026-02-14T10:00:03.5Z"}
NOW = 1_771_063_200.0 + 90  # of AT


@pytest.mark.parametrize(
    ("run", "expected", "ended", "stuck", "code"),
    [
        ({"state": "Pending", "status": "pulling"}, "pulling", False, False, 1),
        ({"state": "Pending", "status": "failed"}, "starting", False, False, 1),
        ({"state": "Running", "status": "running", "started_at": AT}, "running", False, False, 1),
        ({"state": "Succeeded", "status": "stopped", **ENDED, "exit_code": 0}, "succeeded", True, False, 0),
        ({"state": "Failed", "status": "failed", **ENDED, "exit_code": 3}, "failed", True, False, 3),
        ({"state": "Failed", "status": "failed", "reason": "TagNotFound"}, "failed", False, True, 1),
        ({"state": "Failed", "finished_at": AT, "exit_code": 128}, "failed", True, False, 1),
        ({"state": "Failed", **ENDED, "exit_code": 143, "reason": "DeadlineExceeded"}, "failed", True, False, 1),
        ({"state": "Failed", **ENDED, "exit_code": 137, "reason": "OutOfMemory"}, "failed", True, False, 137),
        ({"state": "Failed", **ENDED, "exit_code": -1073741819}, "failed", True, False, 1),
        ({"state": "Failed", **ENDED, "exit_code": None}, "failed", True, False, 1),
        ({"state": "Stopped", "status": "stopped", **ENDED, "exit_code": 143}, "stopped", True, False, 1),
        ({"status": "stopped"}, "stopped", True, False, 1),
        ({"status": "running"}, "running", False, False, 1),
        ({"state": "Suspended", "status": "running"}, "suspended", False, False, 1),
    ],
)
def test_a_run_as_people_read_it(run: dict[str, Any], expected: str, *, ended: bool, stuck: bool, code: int) -> None:
    assert (word(run), has_ended(run), cannot_start(run), exit_code(run)) == (expected, ended, stuck, code)


@pytest.mark.parametrize(
    ("run", "seconds"),
    [
        (ENDED, 3.5),
        ({"started_at": AT}, None),
        ({"started_at": AT, "finished_at": "soon"}, None),
        ({"started_at": AT, "finished_at": "2026-02-14T10:00:03"}, None),
        ({"started_at": ENDED["finished_at"], "finished_at": AT}, 0.0),
    ],
)
def test_how_long_a_program_ran(run: dict[str, Any], seconds: float | None) -> None:
    assert ran(run) == seconds


def test_hints_are_those_of_the_failure_code() -> None:
    assert suggestions({"reason": "TagNotFound", "suggestion": "Push\nit."}) == [
        "Push it.",
        "`mill explain TagNotFound` says more",
    ]
    assert suggestions({"suggestion": "Push it."}) == ["Push it."]
    assert suggestions({"reason": "Forbidden", "suggestion": None}) == []


@pytest.mark.parametrize(
    ("since", "now", "shown"),
    [
        (AT, NOW, "1m"),
        (AT, NOW - 46, "44s"),
        (AT, NOW - 3600, "0s"),
        (AT, NOW + 3600, "1h"),
        (AT, NOW + 200_000, "2d"),
        (AT, None, ""),
        (None, NOW, ""),
        ("soon", NOW, ""),
    ],
)
def test_ages(since: str | None, now: float | None, shown: str) -> None:
    assert age(since, now) == shown


def _run(name: str, state: str, created: str, **more: Any) -> dict[str, Any]:
    common = {"id": f"{name}-1a2b3c40", "name": name, "node": "node-1", "cpu": 0.25, "memory": 256_000_000}
    return {**common, "status": state.lower(), "state": state, "created_at": created, "deployment": "mill", **more}


RUNS = [
    _run("migrate", "Succeeded", "2026-02-14T09:00:00Z", **ENDED, exit_code=0),
    _run("report", "Running", "2026-02-14T08:00:00Z", started_at=AT),
    _run("seed", "Failed", AT, **ENDED, exit_code=3, reason="ContainerExited"),
    _run("clean", "Stopped", "2026-02-13T08:00:00Z", **ENDED, cpu=0.0, memory=0, node=""),
]
WIDE = """\
 ID                NAME     NODE    STATUS     CPU  MEM        EXIT  AGE  REASON
 report-1a2b3c40   report   node-1  running    0.2  244.1 MiB        2h
 seed-1a2b3c40     seed     node-1  failed     0.2  244.1 MiB  3     1m   ContainerExited
 migrate-1a2b3c40  migrate  node-1  succeeded  0.2  244.1 MiB  0     1h
 clean-1a2b3c40    clean            stopped                          1d"""
NARROW = """\
 ID                STATUS     EXIT  AGE  REASON
 report-1a2b3c40   running          2h
 seed-1a2b3c40     failed     3     1m   ContainerExited
 migrate-1a2b3c40  succeeded  0     1h
 clean-1a2b3c40    stopped          1d"""


def _shown(width: int | None) -> str:
    return "\n".join(line.rstrip() for line in run_table(newest_first(RUNS), NOW, width).splitlines())


def test_runs_in_progress_come_first_then_the_newest() -> None:
    assert _shown(None) == WIDE
    assert _shown(100) == WIDE


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_has_the_columns_that_matter(width: int) -> None:
    shown = _shown(width)
    assert max(map(len, shown.splitlines())) <= width
    assert shown == NARROW if width == 60 else {"ID", "NODE", "STATUS", "REASON"} <= set(shown.split())


def test_several_deployments_have_a_column() -> None:
    both = [RUNS[0], RUNS[1] | {"deployment": "blue"}]
    assert "DEPLOYMENT" in run_table(both, NOW, None)
