"""Plain lines keep the file's order, and none waits for ever."""

from mill_cli.output.lines import DEPLOY, HOLD_SECONDS, LineOrderer

SCHEDULED = {"service": "web", "phase": "scheduled", "node": "node-1"}
HEALTHY = {"service": "web", "phase": "healthy"}
FAILED = {"service": "broken", "reason": "image pull failed: tag not found"}
DONE = {"elapsed": 12.44, "success": False}

SEED = [
    "  web:    scheduled on node-1",
    "  web:    healthy",
    "  broken: failed: image pull failed: tag not found",
    "  deploy finished with errors",
]


def test_lines_come_at_once_in_the_files_order() -> None:
    lines = LineOrderer(["web", "broken"], DEPLOY)
    assert lines.push("progress", SCHEDULED, 0.0) == SEED[:1]
    assert lines.push("progress", HEALTHY, 0.1) == SEED[1:2]
    assert lines.push("failed", FAILED, 0.2) == SEED[2:3]
    assert lines.push("done", DONE, 0.3) == SEED[3:]


def test_a_later_service_waits_for_the_verdict_of_the_one_before() -> None:
    lines = LineOrderer(["web", "broken"], DEPLOY)
    assert lines.push("failed", FAILED, 0.0) == []
    assert lines.push("progress", SCHEDULED, 0.1) == SEED[:1]
    assert lines.push("progress", HEALTHY, 0.2) == SEED[1:3]
    assert lines.push("done", DONE, 0.3) == SEED[3:]


def test_done_does_not_wait() -> None:
    lines = LineOrderer(["web", "broken"], DEPLOY)
    lines.push("failed", FAILED, 0.0)
    assert lines.push("done", DONE, 0.1) == SEED[2:]


def test_a_line_waits_only_so_long() -> None:
    lines = LineOrderer(["web", "broken"], DEPLOY)
    lines.push("failed", FAILED, 1.0)
    assert lines.due == 1.0 + HOLD_SECONDS
    assert lines.tick(1.0 + HOLD_SECONDS - 0.1) == []
    assert lines.tick(1.0 + HOLD_SECONDS) == SEED[2:3]
    assert lines.due is None


def test_a_service_that_is_not_in_the_file_comes_after_the_others() -> None:
    lines = LineOrderer(["web"], DEPLOY)
    assert lines.push("progress", {"service": "old", "phase": "stopped"}, 0.0) == []
    assert lines.push("progress", HEALTHY, 0.1) == ["  web: healthy", "  old: stopped"]


def test_a_failure_of_the_whole_rollout_is_not_held() -> None:
    lines = LineOrderer(["web", "broken"], DEPLOY)
    lines.push("failed", FAILED, 0.0)
    assert lines.push("failed", {"reason": "superseded by generation 5"}, 0.1) == [
        SEED[2],
        "  failed: superseded by generation 5",
    ]


def test_success_reports_the_duration() -> None:
    assert LineOrderer([], DEPLOY).push("done", {"elapsed": 4.2, "success": True}, 0.0) == ["  deployed (4.2s)"]
