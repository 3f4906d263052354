"""How soon a changed status is written."""

import pytest

from mill_api.status import MillDeploymentStatus, Phase, Replicas, Rollout, ServiceStatus, State, Transition
from mill_operator.core.pace import Change, change, pause

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
        (status(), Change.NOTHING),
        (status(replicas=Replicas(desired=2, updated=1)), Change.COUNTS),
        (status(evidence="words"), Change.COUNTS),
        (status(State.PULLING), Change.PROGRESS),
        (status(State.SUSPECT, reason="PullDenied"), Change.PROGRESS),
        (status(transitions=[STEP]), Change.PROGRESS),
        (status(State.HEALTHY), Change.VERDICT),
        (status(State.FAILED, reason="TagNotFound"), Change.VERDICT),
        (status(rollout="2"), Change.VERDICT),
        (status().model_copy(update={"observed_generation": 2}), Change.VERDICT),
        (status().model_copy(update={"services": []}), Change.PROGRESS),
    ],
)
def test_a_change_is(new, expected):
    assert change(status(), new) is expected


def test_a_verdict_that_is_taken_back_or_has_another_cause_is_one_too():
    failed = status(State.FAILED, reason="TagNotFound")
    assert change(failed, status()) is Change.VERDICT
    assert change(failed, status(State.FAILED, reason="PullDenied")) is Change.VERDICT


def test_the_end_of_a_rollout_is_a_verdict():
    ended = status().model_copy(update={"rollout": Rollout(id="1", started_at=STEP.at, finished_at=STEP.at)})
    assert change(status(), ended) is Change.VERDICT


def test_verdicts_never_wait():
    assert pause(Change.VERDICT, 10.0) == 0


def test_progress_waits_longer_when_writes_are_dear():
    assert pause(Change.PROGRESS, 0.001) == 0.1
    assert pause(Change.PROGRESS, 0.07) == pytest.approx(0.35)


def test_counts_wait_a_second():
    assert pause(Change.COUNTS, 0.001) == 1.0
