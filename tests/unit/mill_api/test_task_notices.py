"""What the readers of a rollout learn of the tasks that run in it."""

from typing import Any, Final

import pytest

from mill_api.status import MillDeploymentStatus
from mill_api.task_notices import task_notices

BEGAN: Final = "2026-01-01T00:00:00.000Z"
RAN: Final = "2026-01-01T00:00:02.000Z"
ENDED: Final = "2026-01-01T00:00:06.100Z"
TASK: Final = {"name": "migrate", "version": "abc", "rollout": "2", "run": "migrate-1", "startedAt": RAN}
RUNNING: Final = TASK | {"state": "Running"}


def noticed(
    task: dict[str, Any], rollout: str = "2", run: dict[str, Any] | None = None, **current: Any
) -> list[dict[str, Any]]:
    status: dict[str, Any] = {"rollout": {"id": "2", "startedAt": BEGAN, **current}, "rolloutTasks": [task]}
    if run is not None:
        status["tasks"] = [{"name": "migrate", "runs": [run]}]
    found = task_notices(rollout, ["migrate", "other"], MillDeploymentStatus.model_validate(status))
    assert all(each.name == "task" for each in found)
    return [each.data for each in found]


@pytest.mark.parametrize(
    ("task", "data"),
    [
        (
            {"name": "migrate", "version": "abc", "rollout": "2", "state": "Waiting", "message": "waiting for db"},
            {"state": "waiting", "message": "waiting for db"},
        ),
        (RUNNING, {"state": "running", "run": "migrate-1", "elapsed": 2.0}),
        (
            TASK | {"state": "Succeeded", "finishedAt": ENDED},
            {"state": "succeeded", "run": "migrate-1", "elapsed": 6.1, "duration": 4.1},
        ),
        (
            TASK | {"state": "Failed", "finishedAt": ENDED, "reason": "CommandFailed", "message": "no", "detail": "x"},
            {
                "state": "failed",
                "run": "migrate-1",
                "elapsed": 6.1,
                "duration": 4.1,
                "code": "CommandFailed",
                "message": "no",
                "detail": "x",
            },
        ),
    ],
    ids=lambda each: each.get("state"),
)
def test_a_notice_has_what_is_known_of_a_task(task: dict[str, Any], data: dict[str, Any]) -> None:
    assert noticed(task) == [{"task": "migrate", **data}]


def test_a_run_whose_program_has_not_started_says_why() -> None:
    run = {"name": "migrate-1", "createdAt": RAN, "message": "no nodes available: insufficient cpu"}
    (found,) = noticed(RUNNING, run=run)
    assert (found["state"], found["message"]) == ("running", "no nodes available: insufficient cpu")
    for other in (run | {"startedAt": RAN}, run | {"name": "migrate-0"}):
        assert "message" not in noticed(RUNNING, run=other)[0]
    (done,) = noticed(TASK | {"state": "Succeeded", "finishedAt": ENDED}, run=run)
    assert "message" not in done


def test_a_run_of_an_earlier_rollout_is_waited_for() -> None:
    waiting = {"task": "migrate", "state": "waiting", "message": "waiting for run migrate-1, of an earlier rollout"}
    assert noticed(RUNNING | {"rollout": "1"}) == [waiting]
    assert noticed(RUNNING | {"rollout": "1"}, finishedAt=ENDED, success=False) == []


def test_what_does_not_run_in_the_rollout_is_not_reported() -> None:
    done = {"name": "migrate", "version": "abc", "state": "Succeeded"}
    assert noticed(done | {"rollout": "2"}) == [], "the version has succeeded before"
    assert noticed(done | {"rollout": "1", "run": "migrate-1"}) == []
    assert noticed(RUNNING | {"name": "removed"}) == []
    assert noticed(RUNNING | {"state": "OfANewerRelease"}) == []
    assert noticed(RUNNING, "1") == [], "an earlier rollout"
    assert task_notices("2", ["migrate"], MillDeploymentStatus()) == []
