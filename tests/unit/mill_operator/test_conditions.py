"""Conditions as `kubectl wait`, Flux, Argo CD and Helm read them."""

import itertools

import pytest

from mill_api.rollout_tasks import RolloutTask, RolloutTaskState
from mill_api.service_status import Replicas, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import limits
from mill_operator.core.rollout.conditions import conditions
from tests.support.kstatus_rules import kstatus
from tests.support.recordings import at
from tests.support.statuses import judged, status


def line(made: MillDeploymentStatus) -> list[str]:
    return [f"{each.type}={each.status} {each.reason}: {each.message}" for each in made.conditions]


@pytest.mark.parametrize(
    ("made", "expected", "lines"),
    [
        (status(State.HEALTHY, State.HEALTHY), "Current", ["Ready=True Healthy: 2 of 2 healthy"]),
        (status(State.HEALTHY, State.STOPPED), "Current", ["Ready=True Healthy: 1 of 1 healthy"]),
        (status(State.HEALTHY, State.SUSPECT), "Current", ["Ready=True Healthy: 1 of 2 healthy; recovering: s2"]),
        (status(), "Current", ["Ready=True Healthy: 0 of 0 healthy"]),
        (
            status(State.HEALTHY, State.STARTING, State.STOPPING, finished=False),
            "InProgress",
            [
                "Ready=False Progressing: 1 of 2 healthy; waiting for s2, s3",
                "Reconciling=True Progressing: 1 of 2 healthy; waiting for s2, s3",
            ],
        ),
        (
            status(State.HEALTHY, State.HEALTHY, finished=False, settled=False),
            "InProgress",
            [
                "Ready=False Progressing: 2 of 2 healthy; waiting for s1, s2 to stay ready",
                "Reconciling=True Progressing: 2 of 2 healthy; waiting for s1, s2 to stay ready",
            ],
        ),
        (
            status(State.FAILED, State.STARTING, State.FAILED, finished=False),
            "Failed",
            [
                "Ready=False TagNotFound: 2 of 3 failed: s1: tag not found; s3: tag not found; 1 still starting",
                "Stalled=True TagNotFound: 2 of 3 failed: s1: tag not found; s3: tag not found; 1 still starting",
            ],
        ),
        (
            status(State.HEALTHY, refused="no"),
            "Failed",
            ["Ready=False InvalidSpec: no", "Stalled=True InvalidSpec: no"],
        ),
    ],
)
def test_a_status_reads(made, expected, lines):
    assert line(made) == lines
    assert kstatus(1, made) == expected


def test_a_rollout_that_waits_for_a_task_names_it():
    tasks = [
        RolloutTask(name="migrate", version="v1", state=RolloutTaskState.RUNNING),
        RolloutTask(name="warm-up", version="v1", state=RolloutTaskState.WAITING),
        RolloutTask(name="seed", version="v1", state=RolloutTaskState.SUCCEEDED),
    ]
    for states, settled, expected in (
        ([State.HEALTHY], True, "1 of 1 healthy; waiting for task migrate, task warm-up"),
        ([State.HEALTHY, State.WAITING], True, "1 of 2 healthy; waiting for task migrate, s2"),
        ([State.HEALTHY], False, "1 of 1 healthy; waiting for task migrate, s1 to stay ready"),
    ):
        made = status(*states, finished=False, settled=settled)
        found = conditions(made.model_copy(update={"rollout_tasks": tasks}), [], at(0))
        assert [each.message for each in found] == [expected] * 2


def test_a_task_that_has_failed_is_one_cause_for_all_that_it_holds_back():
    cause = "not begun: task migrate has failed: container exited with code 3"
    made = _named(["web", "worker", "db", "other"], message=cause)
    fields = [{"reason": "ReleaseFailed"}, {"reason": "ReleaseFailed"}, {"message": "x"}, {"root": "web"}]
    services = [each.model_copy(update=more) for each, more in zip(made.services, fields, strict=True)]
    ready, stalled = judged(made.model_copy(update={"services": services})).conditions
    assert stalled.message == f"4 of 4 failed: web, worker: {cause}, and with it other; db: x"
    assert ready.message == "4 of 4 failed: web, worker, db, other"
    two = judged(made.model_copy(update={"services": services[:2]}))
    assert [each.message for each in two.conditions] == [f"2 of 2 failed: web, worker: {cause}"] * 2


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"replicas": Replicas(desired=1, serving=1)}, ["Ready=True Healthy: 2 of 2 healthy; mill 0.2 updates s2"]),
        (
            {"replicas": Replicas(desired=1)},
            [
                "Ready=False Progressing: 1 of 2 healthy; waiting for s2",
                "Reconciling=True Progressing: 1 of 2 healthy; waiting for s2",
            ],
        ),
        (
            {"replicas": Replicas(desired=1, serving=1), "state": State.FAILED, "reason": "Bad", "message": "bad"},
            ["Ready=False Bad: 1 of 2 failed: s2: bad", "Stalled=True Bad: 1 of 2 failed: s2: bad"],
        ),
    ],
    ids=["the old pods serve", "nothing serves", "failed"],
)
def test_an_update_by_the_operator_costs_no_readiness_while_the_service_serves(fields, lines):
    made = status(State.HEALTHY, State.STARTING)
    first, second = made.services
    updating = {"updated_by": "mill 0.2", "template": "new", "healthy_template": "old", "settled_at": None}
    services = [first, second.model_copy(update={**updating, **fields})]
    assert line(judged(made.model_copy(update={"services": services}))) == lines


def test_another_generation_is_in_progress_whatever_the_conditions_say():
    assert kstatus(2, status(State.HEALTHY)) == "InProgress"


def test_many_names_are_counted():
    made = status(*[State.PENDING] * 7, finished=False)
    assert made.conditions[0].message == "0 of 7 healthy; waiting for s1, s2, s3, s4, s5 and 2 more"


def test_messages_are_bounded():
    made = status(*[State.FAILED] * 200)
    assert all(len(each.message) <= limits.CONDITION_BYTES for each in made.conditions)


def test_time_moves_only_with_the_status():
    first = status(State.STARTING, finished=False)
    assert {each.last_transition_time for each in first.conditions} == {"2026-01-31T12:00:00Z"}
    failed = first.model_copy(update={"services": status(State.FAILED).services})
    later = judged(failed, after=5)
    assert {each.type: each.last_transition_time for each in later.conditions} == {
        "Ready": "2026-01-31T12:00:00Z",
        "Stalled": "2026-01-31T12:00:05Z",
    }


def _expected(states: tuple[State, ...], *, finished: bool, settled: bool) -> str:
    """Return the state that every tool should read."""
    if State.FAILED in states:
        return "Failed"
    is_compact = {State.STOPPED} | ({State.HEALTHY, State.SUSPECT} if settled else set())
    return "Current" if finished and set(states) <= is_compact else "InProgress"


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("states", list(itertools.product(State, repeat=2)), ids="+".join)
def test_every_state_at_every_moment_reads_as_it_should(states, finished, settled):
    made = status(*states, finished=finished, settled=settled)
    assert kstatus(1, made) == _expected(states, finished=finished, settled=settled)
    assert kstatus(2, made) == "InProgress"


def _named(names: list[str], state: State = State.FAILED, message: str = "image pull failed: tag not found"):
    """Return a status whose services have these names."""
    made = status(*[state] * len(names), finished=state is State.FAILED)
    named = zip(made.services, names, strict=True)
    services = [each.model_copy(update={"name": name, "message": message}) for each, name in named]
    return judged(made.model_copy(update={"services": services}))


LONG = [f"payment-gateway-of-the-shop-{at}" for at in range(8)]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            _named(["web"], message="container exited with code 1: " + "x" * 300),
            "1 of 1 failed: web: container exited with code 1: " + "x" * 49 + "…",
        ),
        (
            _named(["api", "web", *LONG]),
            "10 of 10 failed: api, web, payment-gateway-of-the-shop-0, payment-gateway-of-the-shop-1, … (6 more)",
        ),
        (_named(["w" * 120, "api"]), "2 of 2 failed: " + "w" * 75 + "… (1 more)"),
        (
            _named(LONG, State.STARTING),
            "0 of 8 healthy; waiting for payment-gateway-of-the-shop-0, payment-gateway-of-the-shop-1, … (6 more)",
        ),
        (status(State.HEALTHY, refused="no port\n" + "x" * 200), "no port (1 more)"),
        (status(State.HEALTHY, refused="x" * 200), "x" * 99 + "…"),
    ],
    ids=["a long cause", "many services", "a long name", "in progress", "two problems", "a long problem"],
)
def test_the_column_of_kubectl_is_short_whatever_fails(made, expected):
    assert made.conditions[0].message == expected
    assert len(expected) <= limits.SUMMARY_LENGTH


def test_the_roots_of_failures_are_named_first():
    made = _named([*LONG, "db"])
    services = [each.model_copy(update={"root": None if each.name == "db" else "db"}) for each in made.services]
    followed = judged(made.model_copy(update={"services": services}))
    assert followed.conditions[0].message.startswith("9 of 9 failed: db, payment-gateway-of-the-shop-0, ")


def test_other_tools_get_the_whole_message():
    ready, stalled = _named(LONG).conditions
    assert len(stalled.message) > limits.SUMMARY_LENGTH
    assert stalled.message.count("image pull failed: tag not found") == len(LONG)
    assert ready.reason == stalled.reason
