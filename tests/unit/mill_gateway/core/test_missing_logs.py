"""Why a run has no lines to show."""

from typing import Any

import pytest

from mill_api.task_status import RunState
from mill_gateway.core.missing_logs import why_no_lines
from mill_gateway.core.runs import RunView

AT = "2026-01-31T12:00:00Z"
PULL = {"message": "image pull failed: tag not found", "reason": "TagNotFound"}
TIME = {"message": "timeout after 5s", "reason": "DeadlineExceeded"}


def run(state: RunState, status: str, **more: Any) -> RunView:
    """A run that has not started, unless it says otherwise."""
    nothing = dict.fromkeys(
        ("address", "reason", "message", "detail", "suggestion", "exit_code", "started_at", "finished_at")
    )
    fields = {"id": "t-1", "name": "t", "node": "", "cpu": 0.1, "memory": 1, "namespace": "shop", "deployment": "mill"}
    return RunView.model_validate(nothing | fields | {"created_at": AT, "state": state, "status": status, **more})


@pytest.mark.parametrize(
    ("seen", "has_pods", "expected"),
    [
        (
            run(RunState.FAILED, "failed", **PULL),
            True,
            "run t-1 never started: image pull failed: tag not found (TagNotFound)",
        ),
        (run(RunState.STOPPED, "stopped"), False, "run t-1 never started"),
        (
            run(RunState.PENDING, "pulling", **PULL),
            True,
            "run t-1 has not started yet: image pull failed: tag not found (TagNotFound)",
        ),
        (
            run(RunState.PENDING, "starting", message="no nodes available"),
            False,
            "run t-1 has not started yet: no nodes available",
        ),
        (
            run(RunState.FAILED, "failed", started_at=AT, **TIME),
            False,
            "the logs of run t-1 are gone with its pod: it failed: timeout after 5s (DeadlineExceeded)",
        ),
        (run(RunState.FAILED, "failed", exit_code=3), False, "the logs of run t-1 are gone with its pod: it failed"),
        (run(RunState.SUCCEEDED, "stopped"), False, "the logs of run t-1 are gone with its pod: it succeeded"),
        (
            run(RunState.STOPPED, "stopped", started_at=AT),
            False,
            "the logs of run t-1 are gone with its pod: it was stopped",
        ),
        # Its program may have written nothing.
        (run(RunState.RUNNING, "running", started_at=AT), True, None),
        (run(RunState.FAILED, "failed", started_at=AT, **TIME), True, None),
        (run(RunState.SUCCEEDED, "stopped"), True, None),
    ],
)
def test_a_run_without_lines(seen: RunView, has_pods: bool, expected: str | None) -> None:
    assert why_no_lines(seen, has_pods=has_pods) == expected
