"""The operator continues from a status of a newer release, with unknown words at every place."""

from dataclasses import replace
from typing import Any

import pytest

from mill_api.events import rollout_events
from mill_api.service_status import Phase, State
from mill_api.status import MillDeploymentStatus
from mill_api.status_reading import read_status
from mill_operator.core.internal_errors import internal_error_of
from mill_operator.core.observed.mill_deployments import project_mill_deployment
from mill_operator.core.rollout.event_messages import event_messages
from mill_operator.core.rollout.start import refuse_rollout
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.core.rollout.write_throttle import Urgency, urgency
from mill_operator.memory import Memory
from tests.support.kstatus_rules import kstatus
from tests.support.rollouts import START, UID, World, failed, healthy, pending, starting

WORD = "Hibernating"


class Rolled(World):
    """A MillDeployment whose status is read as after a change of the release."""

    def __init__(self) -> None:
        super().__init__()
        self.newer: dict[str, Any] = {}
        """The status that is stored in place of the written one."""

    @property
    def status(self) -> MillDeploymentStatus:
        body = {
            "metadata": {
                "name": "mill",
                "namespace": "default",
                "uid": UID,
                "resourceVersion": "1",
                "generation": self.generation,
                "creationTimestamp": "2026-01-31T12:00:00Z",
            },
            "status": super().status.model_dump(mode="json", by_alias=True) | self.newer,
        }
        self.newer = {}
        return Memory.of(project_mill_deployment(body)).status


def stored(world: World) -> dict[str, Any]:
    return MillDeploymentStatus.model_validate_json(world.stored).model_dump(mode="json", by_alias=True)


def names(world: World) -> list[tuple[str, str]]:
    told = rollout_events(UID, world.rollout, {"generation": world.generation}, world.status, full=True)
    return [(each.name, str(each.data.get("phase", each.data.get("success", "")))) for each in told]


@pytest.mark.parametrize(
    "seen", [healthy("web"), failed("web"), starting("web"), pending("web")], ids=lambda o: o.state
)
@pytest.mark.parametrize("finished", [False, True])
def test_a_service_of_an_unknown_state_gets_one_that_is_known(seen: Any, finished: bool) -> None:
    world = Rolled()
    world.look(pending("web")).look(healthy("web") if finished else starting("web"))
    before = stored(world)
    before["services"][0] |= {"state": WORD, "reason": WORD, "rule": WORD, "since": before["services"][0]["movedAt"]}
    before["conditions"][0] |= {"type": WORD, "status": WORD}
    world.newer = before
    transitions = before["services"][0]["transitions"]
    world.look(seen)
    (web,) = world.status.services
    assert web.state.known
    assert web.state is seen.state
    assert [each.model_dump(mode="json", by_alias=True) for each in web.transitions][: len(transitions)] == transitions
    kstatus(1, world.status)
    assert {each.type for each in world.status.conditions} <= {"Ready", "Reconciling", "Stalled"}


def test_past_events_are_neither_lost_nor_repeated() -> None:
    world = Rolled()
    world.look(pending("web"), pending("slow")).look(healthy("web"), starting("slow"))
    before = stored(world)
    for service in before["services"]:
        service["state"] = WORD
        service["transitions"].append({"seq": 50, "at": service["movedAt"], "phase": "thawing", "message": "a word"})
    world.newer = before
    world.look(healthy("web"), starting("slow"))
    after = names(world)
    assert after.count(("progress", "healthy")) == 1
    assert ("progress", "thawing") in after
    assert after[-1][0] == "progress", "what is not settled keeps the rollout going"
    world.look(healthy("web"), healthy("slow"))
    assert names(world)[-1] == ("done", "True")
    assert [step.seq for each in world.status.services for step in each.transitions if step.seq > 50]


def test_a_held_service_has_failed() -> None:
    world = Rolled()
    world.look(pending("web")).look(failed("web"), pending("slow"))
    before = stored(world)
    before["services"][0]["state"] = WORD
    world.newer = before
    world.look(pending("web"), healthy("slow"), rolled_back=("web",))
    assert world.status.services[0].state is State.FAILED
    assert names(world)[-1] == ("done", "False")


def test_a_removed_service_is_stopped() -> None:
    world = Rolled()
    world.look(healthy("web"), healthy("old"))
    before = stored(world)
    before["services"][1]["state"] = WORD
    world.newer = before
    world.deploy()
    world.look(healthy("web"))
    assert {each.name: each.state for each in world.status.services} == {"web": State.HEALTHY, "old": State.STOPPED}
    assert names(world)[-1][0] == "done"


def test_reports_of_changes_raise_no_error() -> None:
    world = Rolled()
    world.look(pending("web"))
    known = world.status
    raw = stored(world)
    raw["services"][0] |= {"state": WORD}
    raw["services"][0]["transitions"] = [{"seq": 7, "at": known.rollout.started_at, "phase": "thawing"}]  # type: ignore[union-attr]
    raw["tasks"] = [{"name": "t", "runs": [{"name": "t-1", "state": WORD, "createdAt": known.rollout.started_at}]}]  # type: ignore[union-attr]
    odd = read_status(raw)
    for before, after in ((known, odd), (odd, known), (odd, odd), (MillDeploymentStatus(), odd)):
        change = StatusChange.between(before, after)
        assert all(each.text for each in event_messages(change))
        assert urgency(change) is not Urgency.VERDICT or before.rollout != after.rollout
        assert isinstance(change.transitions, tuple)
        assert isinstance(change.ended_rollouts, tuple)
    refused = refuse_rollout(odd, "no", generation=2, rollout_id="2", now=START)
    assert kstatus(2, refused) == "Failed"
    assert refused.services[0].state == WORD
    assert not refused.services[0].state.is_verdict
    assert odd.services[0].transitions[0].phase not in set(Phase)


ABSURD = {
    "settle": [1e300, -1.0],
    "settlingSince": ["9000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
    "settlingNewest": ["9000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
    "settlingCrashes": [-(2**62), 2**62],
    "settledAt": ["9000-01-01T00:00:00Z"],
    "settlement": [{"seq": 900_000, "at": "9000-01-01T00:00:00Z"}, 7],
    "servingSince": ["9000-01-01T00:00:00Z"],
    "failedAt": ["9000-01-01T00:00:00Z"],
    "dueAt": ["9000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
    "root": ["web", "x" * 100_000],
    "servingImages": [["x"] * 1000],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, each in ABSURD.items() for value in each])
@pytest.mark.parametrize(
    "seen",
    [
        healthy,
        pending,
        failed,
        lambda web, **more: replace(failed(web, **more), internal_error=internal_error_of(KeyError())),
    ],
    ids=["healthy", "pending", "failed", "internal error"],
)
@pytest.mark.parametrize("rolled_back", [(), ("web",)])
def test_absurd_values_neither_raise_nor_last(
    field: str, value: object, seen: Any, rolled_back: tuple[str, ...]
) -> None:
    world = Rolled()
    world.look(pending("web", settle=10)).look(healthy("web", settle=10))
    before = stored(world)
    before["services"][0] |= {"settlingSince": world.status.rollout.started_at, field: value}
    world.newer = before
    world.look(seen("web", settle=10), after=1, rolled_back=rolled_back)
    world.look(pending("web", settle=10), after=1).look(healthy("web", settle=10), after=20)
    world.look(healthy("web", settle=10), after=11)
    assert names(world)[-1][0] == "done"
    assert kstatus(1, world.status) == "Current"


@pytest.mark.parametrize(
    "status", [{"services": {}}, {"rollout": 7}, {"conditions": "no"}, {"services": [[]]}, [], "no"]
)
def test_an_unreadable_status_starts_a_rollout(status: Any) -> None:
    world = Rolled()
    metadata = {"name": "mill", "namespace": "default", "uid": UID, "resourceVersion": "1", "generation": 1}
    body = {"metadata": metadata | {"creationTimestamp": "2026-01-31T12:00:00Z"}, "status": status}
    assert Memory.of(project_mill_deployment(body)).status == MillDeploymentStatus()
    world.look(healthy("web"))
    assert kstatus(1, world.status) == "Current"
