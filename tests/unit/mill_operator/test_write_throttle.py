"""How soon a changed status is written."""

import pytest

from mill_api.rollouts import Rollout
from mill_api.service_status import Phase, Replicas, ServiceStatus, State, Transition
from mill_api.status import MillDeploymentStatus
from mill_api.task_status import RunState, TaskRun, TaskStatus
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.core.rollout.write_throttle import Urgency, pause_seconds, urgency

STEP = Transition(seq=1, at="2026-01-31T12:00:00.000Z", phase=Phase.SCHEDULED, node="node-1")


def status(state: State = State.STARTING, *, rollout: str = "1", **more: object) -> MillDeploymentStatus:
    return MillDeploymentStatus(
        observed_generation=1,
        rollout=Rollout(id=rollout, started_at=STEP.at),
        services=[ServiceStatus(name="web", state=state, **more)],
    )


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (status(), Urgency.NONE),
        (status(replicas=Replicas(desired=2, updated=1)), Urgency.COUNTS),
        (status(evidence="words"), Urgency.COUNTS),
        (status(State.PULLING), Urgency.PROGRESS),
        (status(State.SUSPECT, reason="PullDenied"), Urgency.PROGRESS),
        (status(transitions=[STEP]), Urgency.PROGRESS),
        (status(State.HEALTHY), Urgency.VERDICT),
        (status(State.FAILED, reason="TagNotFound"), Urgency.VERDICT),
        (status(rollout="2"), Urgency.VERDICT),
        (status().model_copy(update={"observed_generation": 2}), Urgency.VERDICT),
        (status().model_copy(update={"services": []}), Urgency.PROGRESS),
    ],
)
def test_a_change_is(new, expected):
    assert urgency(StatusChange.between(status(), new)) is expected


RUN = TaskRun(name="m-1", created_at=STEP.at)


def with_run(**changes: object) -> MillDeploymentStatus:
    tasks = [TaskStatus(name="m", runs=[RUN.model_copy(update=changes)])]
    return status().model_copy(update={"tasks": tasks, "active_runs": 1})


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (with_run(), Urgency.NONE),
        (with_run(node="node-1"), Urgency.PROGRESS),
        (with_run(state=RunState.RUNNING), Urgency.PROGRESS),
        (with_run(reason="PullDenied"), Urgency.PROGRESS),
        (with_run(state=RunState.SUCCEEDED), Urgency.VERDICT),
        (with_run(state=RunState.STOPPED), Urgency.VERDICT),
        (with_run(state=RunState.FAILED, reason="TagNotFound"), Urgency.VERDICT),
        (with_run().model_copy(update={"active_runs": 2}), Urgency.COUNTS),
        (status(), Urgency.PROGRESS),
    ],
)
def test_a_change_of_a_run_is(new, expected):
    assert urgency(StatusChange.between(with_run(), new)) is expected


def test_a_run_that_recovers_or_is_no_longer_reported_is_no_verdict():
    failed = with_run(state=RunState.FAILED, reason="TagNotFound")
    assert urgency(StatusChange.between(failed, with_run(state=RunState.RUNNING))) is Urgency.PROGRESS
    assert urgency(StatusChange.between(failed, status())) is Urgency.PROGRESS


def test_a_withdrawn_verdict_and_another_cause_are_verdicts():
    failed = status(State.FAILED, reason="TagNotFound")
    assert urgency(StatusChange.between(failed, status())) is Urgency.VERDICT
    assert urgency(StatusChange.between(failed, status(State.FAILED, reason="PullDenied"))) is Urgency.VERDICT


def test_the_end_of_a_rollout_is_a_verdict():
    ended = status().model_copy(update={"rollout": Rollout(id="1", started_at=STEP.at, finished_at=STEP.at)})
    assert urgency(StatusChange.between(status(), ended)) is Urgency.VERDICT


def test_verdicts_never_wait():
    assert pause_seconds(Urgency.VERDICT, 10.0) == 0


def test_progress_waits_longer_when_writes_are_slow():
    assert pause_seconds(Urgency.PROGRESS, 0.001) == 0.1
    assert pause_seconds(Urgency.PROGRESS, 0.07) == pytest.approx(0.35)


def test_counts_wait_a_second():
    assert pause_seconds(Urgency.COUNTS, 0.001) == 1.0
