"""Results of rollouts: causes and regressions that stay, whatever the services do later."""

from typing import Any

import pytest

from mill_api.rollout_results import rollout_results
from mill_api.status_reading import read_status

STARTED, FINISHED = "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:04.000Z"
ROLLOUT = {"id": "2", "startedAt": STARTED, "finishedAt": FINISHED, "success": False, "lastSeq": 3}
MISSING = "image pull failed: tag not found"


def step(seq: int, phase: str, message: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"seq": seq, "at": FINISHED, "phase": phase, "message": message, "code": code}


def regression(service: str, second: int, reason: str = "container exited with code 1") -> dict[str, Any]:
    at = f"2026-01-31T12:{second // 60:02}:{second % 60:02}.400Z"
    return {"service": service, "reason": reason, "code": "Crashed", "at": at}


def result(rollout: dict[str, Any], *services: dict[str, Any]) -> str:
    (found,) = rollout_results(read_status({"rollout": rollout, "services": list(services)}))
    return found.result


def test_a_cause_stays_when_the_service_has_recovered() -> None:
    web = {
        "name": "web",
        "state": "Healthy",
        "transitions": [step(2, "failed", "health check timeout after 30s"), step(4, "settled")],
    }
    assert result(ROLLOUT, web) == "failed: web: health check timeout after 30s"


def test_the_present_state_is_no_cause() -> None:
    later = {"name": "web", "state": "Failed", "message": "container exited with code 1", "transitions": []}
    broken = {"name": "broken", "state": "Failed", "message": "other", "transitions": [step(3, "failed", MISSING)]}
    assert result(ROLLOUT, later, broken) == f"failed: broken: {MISSING}"


def test_what_fails_after_the_end_is_no_cause() -> None:
    web = {"name": "web", "transitions": [step(1, "healthy"), step(4, "failed", "container exited with code 1")]}
    broken = {"name": "broken", "transitions": [step(3, "failed", MISSING)]}
    rollout = ROLLOUT | {"regressed": [regression("web", 12) | {"seq": 4}]}
    assert result(rollout, web, broken) == (
        f"failed: broken: {MISSING}; then web failed after 8 s: container exited with code 1"
    )


def test_a_success_says_what_failed_then() -> None:
    rollout = ROLLOUT | {"success": True, "regressed": [regression("web", 18)]}
    assert result(rollout) == "succeeded, then web failed after 14 s: container exited with code 1"
    rollout["regressed"].append(regression("api", 200))
    assert result(rollout).endswith("code 1; then api failed after 3 min: container exited with code 1")


def test_causes_are_in_the_order_in_which_they_were_found() -> None:
    one = {"name": "one", "transitions": [step(3, "failed", "b")]}
    two = {"name": "two", "transitions": [step(1, "failed", "a"), step(2, "healthy")]}
    (found,) = rollout_results(read_status({"rollout": ROLLOUT, "services": [one, two]}))
    assert found.result == "failed: two: a; one: b"
    assert [(each.service, each.seq) for each in found.failed] == [("two", 1), ("one", 3)]
    assert (found.seconds, found.success) == (4.0, False)


@pytest.mark.parametrize(
    ("more", "service", "expected"),
    [
        ({}, {}, "failed: no cause was recorded"),
        ({}, {"transitions": [step(1, "failed", code="Crashed")]}, "failed: web: Crashed"),
        ({}, {"transitions": [step(1, "failed")]}, "failed: web: no cause was recorded"),
        ({"refused": "web: no port"}, {"transitions": []}, "failed: web: no port"),
        ({"error": "internal error"}, {"transitions": [step(1, "failed", MISSING)]}, "failed: internal error"),
        ({"finishedAt": None, "success": None}, {"transitions": [step(1, "failed", MISSING)]}, "in progress"),
    ],
)
def test_a_failure_is_never_unknown(more: dict[str, Any], service: dict[str, Any], expected: str) -> None:
    assert result(ROLLOUT | more, {"name": "web", "state": "Failed", "message": "from before", **service}) == expected


def test_past_rollouts_keep_their_causes_and_regressions() -> None:
    past = {"startedAt": STARTED, "finishedAt": FINISHED}
    history = [
        past | {"id": "4", "success": False, "superseded": True},
        past | {"id": "3", "success": False, "failed": [{"seq": 2, "service": "web", "reason": MISSING}]},
        past | {"id": "2", "success": False, "failed": [{"seq": 1, "reason": "no port"}]},
        past | {"id": "1", "success": True, "regressed": [regression("web", 9)]},
    ]
    found = rollout_results(read_status({"history": history}))
    assert [(each.id, each.result) for each in found] == [
        ("4", "superseded by a newer rollout"),
        ("3", f"failed: web: {MISSING}"),
        ("2", "failed: no port"),
        ("1", "succeeded, then web failed after 5 s: container exited with code 1"),
    ]
