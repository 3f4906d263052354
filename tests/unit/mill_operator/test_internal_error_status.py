"""The status that reports an internal error, and after how many failures it does."""

from datetime import timedelta

from mill_api.events import rollout_events
from mill_api.rollouts import Rollout
from mill_api.service_status import ServiceStatus, State, Transition
from mill_api.status import MillDeploymentStatus
from mill_api.status_reading import read_status
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.rollout.internal_error import (
    REPORTED_AFTER,
    ROLLOUT_ENDS_AFTER,
    first_failure,
    internal_error_status,
)
from tests.support.kstatus_rules import kstatus

NOW = timestamps.parse("2026-01-31T12:00:00.000Z")
FAULT = InternalError("ValueError", "0123456789")


def test_failures_are_reported_by_their_number_or_their_duration() -> None:
    failures = first_failure("1", NOW)
    assert not failures.is_reported(NOW)
    assert failures.is_reported(NOW + REPORTED_AFTER)
    failures = failures.with_failure("1", NOW)
    assert not failures.is_reported(NOW)
    assert failures.with_failure("1", NOW).is_reported(NOW)
    assert failures.ends_rollout(NOW + ROLLOUT_ENDS_AFTER)
    later = failures.with_failure("2", NOW + ROLLOUT_ENDS_AFTER)
    assert not later.ends_rollout(NOW + ROLLOUT_ENDS_AFTER), "another rollout has its own time"
    assert later.is_reported(NOW + ROLLOUT_ENDS_AFTER)


RUNNING = Rollout(id="4", started_at=timestamps.render(NOW))
STEP = Transition(seq=1, at=timestamps.render(NOW), phase="healthy")
WEB = ServiceStatus(name="web", state=State.HEALTHY, transitions=[STEP])


def report(status: MillDeploymentStatus, *, rollout: str = "4", end: bool = False) -> MillDeploymentStatus:
    return internal_error_status(
        status, FAULT, generation=4, rollout_id=rollout, end=end, now=NOW + timedelta(minutes=10)
    )


def test_the_rest_of_the_status_stays() -> None:
    before = MillDeploymentStatus(observed_generation=3, rollout=RUNNING, services=[WEB], healthy="1/1")
    after = report(before)
    assert kstatus(4, after) == "Failed"
    assert (after.rollout, after.services, after.healthy) == (RUNNING, [WEB], "1/1")
    assert report(after) == after, "reported again it is the same"
    ended = report(before, end=True)
    assert ended.rollout is not None
    assert ended.rollout.finished_at == timestamps.render(NOW + timedelta(minutes=10))
    assert ended.services == [WEB]
    assert report(ended, end=True) == ended
    done = rollout_events("0123456789", "4", {"generation": 4}, ended)
    assert [(each.name, each.seq) for each in done] == [("progress", 1), ("failed", 1_000_000), ("done", 1_000_001)]
    assert done[-1].data == {"elapsed": 600.0, "success": False}


def test_the_stream_of_one_service_has_its_own_end() -> None:
    other = WEB.model_copy(update={"name": "other", "state": State.PENDING, "transitions": []})
    ended = report(MillDeploymentStatus(rollout=RUNNING, services=[WEB, other]), end=True)
    names = {
        only: [
            (each.name, each.data.get("success")) for each in rollout_events("0123456789", "4", {}, ended, only=only)
        ]
        for only in ("web", "other")
    }
    assert names == {
        "web": [("progress", None), ("failed", None), ("done", False)],
        "other": [("failed", None), ("done", False)],
    }


def test_a_rollout_that_never_started_ends_too_and_the_previous_one_is_history() -> None:
    before = MillDeploymentStatus(observed_generation=3, rollout=RUNNING, services=[WEB])
    after = report(before, rollout="5", end=True)
    assert after.rollout is not None
    assert (after.rollout.id, after.rollout.success) == ("5", False)
    assert [(each.id, each.superseded) for each in after.history] == [("4", True)]
    assert after.services[0].transitions == []
    history = report(after, rollout="6", end=True)
    events = rollout_events("0123456789", "5", {"generation": 6}, history)
    assert [(each.name, each.seq) for each in events] == [("failed", 1_000_000), ("done", 1_000_001)]
    assert read_status(history.model_dump(mode="json", by_alias=True)) == history
