"""Which tasks a deploy would run: as the operator decides it."""

from typing import Any

import pytest

from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_api.versions import version_of
from mill_gateway.core.planned_tasks import planned_tasks

WEB = {"name": "web", "image": "web:2", "port": 8080}
MIGRATE = {"name": "migrate", "image": "web:2", "before": ["web", "gone"]}
SPEC: dict[str, Any] = {"services": [WEB, {"image": "x"}, 7], "tasks": [{"name": "report", "image": "x"}, MIGRATE]}
VERSION = version_of(MIGRATE, {"web": WEB})


def _state(state: RolloutTaskState, version: str = VERSION, *succeeded: str) -> RolloutTask:
    return RolloutTask(name="migrate", version=version, state=state, run="migrate-1", succeeded=list(succeeded))


@pytest.mark.parametrize(
    ("known", "runs", "reason"),
    [
        (None, True, None),
        (_state(RolloutTaskState.SUCCEEDED, VERSION, VERSION), False, "it has succeeded for this version"),
        (_state(RolloutTaskState.SUCCEEDED, "newer", "newer", VERSION), False, "it has succeeded for this version"),
        (_state(RolloutTaskState.SUCCEEDED, "older", "older"), True, None),
        (_state(RolloutTaskState.FAILED), True, None),
        (_state(RolloutTaskState.WAITING), True, None),
        (_state(RolloutTaskState.RUNNING), False, "run migrate-1 of this version is in progress"),
        (_state(RolloutTaskState.RUNNING, "older"), True, "when run migrate-1 of an earlier version has ended"),
        (_state(RolloutTaskState.RUNNING, "newer", VERSION), False, "it has succeeded for this version"),
    ],
)
def test_a_task_runs_unless_its_version_has_succeeded(
    known: RolloutTask | None, runs: bool, reason: str | None
) -> None:
    (found,) = planned_tasks(SPEC, [] if known is None else [known])
    assert (found.task, found.before, found.after, found.runs, found.reason) == ("migrate", ["web"], [], runs, reason)


def test_a_run_of_a_task_that_leaves_the_file_is_waited_for() -> None:
    left = _state(RolloutTaskState.RUNNING).model_copy(update={"name": "db-migrate", "run": "db-migrate-1"})
    (found,) = planned_tasks(SPEC, [left])
    assert (found.runs, found.reason) == (True, "when run db-migrate-1 has ended, of a task that leaves the file")
    after = {"name": "warm-up", "image": "web:2", "after": ["web"]}
    (found,) = planned_tasks({"services": [WEB], "tasks": [after]}, [left])
    assert (found.runs, found.reason) == (True, None)


def test_tasks_after_services_are_planned_too_and_odd_specs_have_none() -> None:
    after = {"name": "warm-up", "image": "web:2", "after": ["web"]}
    (found,) = planned_tasks({"services": [WEB], "tasks": [after]}, [])
    assert (found.before, found.after, found.runs) == ([], ["web"], True)
    for odd in ({}, {"tasks": [MIGRATE]}, {"services": [WEB], "tasks": [{"name": "x", "before": [["web"]]}]}):
        assert planned_tasks(odd, []) == []
