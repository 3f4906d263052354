"""Which services the operator updates after a change of its own, and which wait."""

import json
from typing import Any

import pytest

from mill_api.rollouts import Rollout
from mill_api.service_status import Phase, ServiceStatus, State, Transition
from mill_api.status import MillDeploymentStatus
from mill_operator.core import limits, timestamps
from mill_operator.core.objects.service import DesiredService, ServiceRequest
from mill_operator.core.rollout.event_messages import event_messages
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.core.rollout.updates import Elsewhere, UpdatePlan, begin_updates, plan_updates
from mill_operator.core.verdicts.rules.progress import NOT_BEGUN
from tests.support.rollouts import World, failed, healthy, pending, see, starting
from tests.support.statuses import NOW

OLD, NEW = "old", "new"
AT = timestamps.render(NOW)
ALL = limits.UPDATES_AT_ONCE


def desired(*names: str, recreate: bool = False, template: str = NEW) -> list[DesiredService]:
    request = ServiceRequest("web:1", "64M")
    return [
        DesiredService(name, template, replicas=1, probed=True, request=request, recreate=recreate) for name in names
    ]


def service(name: str, **fields: Any) -> ServiceStatus:
    """Return a service that has settled with the old template, unless `fields` say otherwise."""
    known = {"state": State.HEALTHY, "template": OLD, "healthy_template": OLD, "settled_at": AT, "settle": 10.0}
    return ServiceStatus(name=name, **{**known, **fields})


def status(*services: ServiceStatus, **rollout: Any) -> MillDeploymentStatus:
    made = Rollout(**{"id": "1", "started_at": AT, "finished_at": AT, "success": True, **rollout})
    return MillDeploymentStatus(observed_generation=1, rollout=made, services=list(services))


def updating(name: str, **fields: Any) -> ServiceStatus:
    known = {"state": State.STARTING, "template": NEW, "settled_at": None, "updated_by": "mill 0.2"}
    return service(name, **{**known, **fields})


def step(seq: int, phase: Phase) -> Transition:
    return Transition(seq=seq, at=AT, phase=phase)


NAMES = tuple(f"s{number:02}" for number in range(14))
NOWHERE = Elsewhere()


def plan(
    services: list[DesiredService], known: MillDeploymentStatus, *, begun: set[str] | None = None, **others: Any
) -> UpdatePlan:
    return plan_updates(services, known, begun or set(), Elsewhere(**others))


def test_the_first_ten_in_the_order_of_the_file_begin() -> None:
    found = plan(desired(*NAMES), status(*map(service, NAMES)))
    assert found.begins == dict.fromkeys(NAMES[:10], NEW)
    assert found.waits == dict.fromkeys(NAMES[10:], OLD)
    assert (found.taken, found.wants_place, found.wants_place_alone) == (10, True, False)


@pytest.mark.parametrize(("taken", "begin"), [(0, 10), (7, 3), (10, 0), (12, 0)])
def test_places_that_others_take_are_left_to_them(taken: int, begin: int) -> None:
    found = plan(desired(*NAMES), status(*map(service, NAMES)), taken=taken)
    assert (len(found.begins), found.wants_place) == (begin, True)


def test_a_service_takes_its_place_until_it_has_settled_or_failed() -> None:
    known = status(
        updating("starting"),
        updating("in-its-window", state=State.HEALTHY, settling_since=AT),
        updating("settled", state=State.HEALTHY, settled_at=AT, healthy_template=NEW),
        updating("failed", state=State.FAILED),
        updating("failed-after-it-had-settled", state=State.STARTING, healthy_template=NEW),
        service("next"),
    )
    found = plan(desired(*(each.name for each in known.services)), known, taken=7)
    assert (found.begins, found.taken) == ({"next": NEW}, 3)
    assert plan(desired("next"), known, taken=8).begins == {}


class TestVolumes:
    def test_they_come_one_at_a_time(self) -> None:
        found = plan(desired("a", "b", recreate=True), status(service("a"), service("b")))
        assert found == UpdatePlan({"a": NEW}, {"b": OLD}, 1, wants_place_alone=True)

    @pytest.mark.parametrize("others", [{"taken": 1}, {"has_waiting": True}])
    def test_they_come_after_all_others_elsewhere(self, others: dict[str, Any]) -> None:
        found = plan(desired("db", recreate=True), status(service("db")), **others)
        assert found == UpdatePlan(waits={"db": OLD}, wants_place_alone=True)

    def test_they_come_after_all_others_of_their_file(self) -> None:
        services = desired("db", recreate=True) + desired("web")
        found = plan(services, status(service("db"), service("web")))
        assert (found.begins, found.waits) == ({"web": NEW}, {"db": OLD})
        found = plan(services, status(service("db"), updating("web")))
        assert (found.begins, found.waits) == ({}, {"db": OLD})
        found = plan(services, status(service("db"), updating("web", state=State.FAILED)))
        assert (found.begins, found.waits) == ({"db": NEW}, {})

    def test_others_take_the_places_beside_one(self) -> None:
        found = plan(desired("web"), status(service("web")), taken=1)
        assert found.begins == {"web": NEW}


class TestWhatNeedsNoPlace:
    def test_a_service_whose_update_has_begun_takes_its_place_first(self) -> None:
        found = plan(desired(*NAMES), status(*map(service, NAMES)), begun={"s12"}, taken=5)
        assert found.begins == dict.fromkeys([*NAMES[:4], "s12"], NEW)
        assert found.taken == 5
        found = plan(desired("a", "b", recreate=True), status(service("a"), service("b")), begun={"b"})
        assert (found.begins, found.waits) == ({"b": NEW}, {"a": OLD})

    def test_it_takes_one_above_the_limit(self) -> None:
        found = plan(desired("web"), status(service("web")), begun={"web"}, taken=ALL)
        assert (found.begins, found.taken) == ({"web": NEW}, 1)

    def test_what_is_unchanged_or_new_is_no_update(self) -> None:
        known = status(service("same", template=NEW), service("never-judged", template=None))
        assert plan(desired("same", "never-judged", "new"), known, taken=ALL) == UpdatePlan()

    @pytest.mark.parametrize("ended", [{"refused": "no"}, {"error": "internal error"}])
    def test_neither_is_a_change_that_its_rollout_has_not_carried_out(self, ended: dict[str, str]) -> None:
        assert plan(desired("web"), status(service("web"), success=False, **ended), taken=ALL) == UpdatePlan()

    @pytest.mark.parametrize("not_begun", [{"state": State.WAITING}, {"state": State.FAILED, "rule": NOT_BEGUN.id}])
    def test_nor_is_a_version_that_has_not_begun_since_it_comes_after_another_service(
        self, not_begun: dict[str, Any]
    ) -> None:
        known = status(service("web", settled_at=None, **not_begun))
        assert plan(desired("web"), known, taken=ALL) == UpdatePlan()


class TestAfterItsRollout:
    def test_an_update_waits_for_the_end_of_the_rollout(self) -> None:
        found = plan(desired("web", "db"), status(service("web"), service("db"), finished_at=None, success=None))
        assert found == UpdatePlan(waits={"web": OLD, "db": OLD})

    def test_a_missing_deployment_is_created_by_that_rollout(self) -> None:
        known = status(service("web", state=State.FAILED, settled_at=None), finished_at=None, success=None)
        assert plan(desired("web"), known, begun={"web"}) == UpdatePlan()

    def test_it_waits_for_the_end_of_a_window_that_the_rollout_has_left_open(self) -> None:
        window = service("web", settled_at=None, settling_since=AT, transitions=[step(1, Phase.HEALTHY)])
        assert plan(desired("web"), status(window, success=False, last_seq=1)) == UpdatePlan(waits={"web": OLD})

    def test_what_an_earlier_release_has_found_healthy_has_no_window(self) -> None:
        earlier = service("web", settled_at=None, settle=None, moved_at=AT, transitions=[step(1, Phase.HEALTHY)])
        assert plan(desired("web"), status(earlier)).begins == {"web": NEW}

    def test_a_service_that_has_failed_is_updated_as_any_other(self) -> None:
        known = status(service("web", state=State.FAILED, settled_at=None), success=False)
        assert plan(desired("web"), known).begins == {"web": NEW}


class TestBegin:
    def test_nothing_is_known_of_the_new_template(self) -> None:
        before = service(
            "web",
            state=State.FAILED,
            settled_at=None,
            rule="timeout",
            message="no progress",
            serving_since=AT,
            transitions=[step(1, Phase.FAILED)],
        )
        (after,) = begin_updates(status(before), {"web": NEW}, "mill 0.2", NOW).services
        assert (after.state, after.template, after.healthy_template) == (State.PENDING, NEW, OLD)
        assert (after.rule, after.message, after.settled_at) == (None, None, None)
        assert (after.updated_by, after.serving_since, after.transitions) == ("mill 0.2", AT, before.transitions)
        assert after.is_updating

    def test_a_template_that_had_settled_before_has_to_settle_again(self) -> None:
        before = service("web", template=OLD, healthy_template=NEW)
        (after,) = begin_updates(status(before), {"web": NEW}, "mill 0.2", NOW).services
        assert (after.is_updating, after.healthy_template) == (True, None)

    def test_another_change_in_its_course_gives_it_no_more_time(self) -> None:
        before = updating("web", moved_at="2026-01-31T11:55:00.000Z")
        (after,) = begin_updates(status(before), {"web": "newest"}, "mill 0.2", NOW).services
        assert (after.template, after.moved_at, after.is_updating) == ("newest", before.moved_at, True)

    def test_without_an_update_the_status_stays_as_it_is(self) -> None:
        known = status(service("web"))
        assert begin_updates(known, {}, "mill 0.2", NOW) is known


def test_the_log_has_each_service_and_there_is_one_event_for_all() -> None:
    before = status(service("web"), service("api"))
    first = begin_updates(before, {"web": NEW}, "mill 0.2", NOW)
    messages = event_messages(StatusChange.between(before, first))
    assert [(each.reason, each.text, each.verdict) for each in messages] == [
        ("Updated", "Updated by mill 0.2", True),
        ("Updating", "web is updated by mill 0.2", False),
    ]
    second = begin_updates(first, {"api": NEW}, "mill 0.2", NOW)
    assert [each.text for each in event_messages(StatusChange.between(first, second))] == ["api is updated by mill 0.2"]
    assert event_messages(StatusChange.between(second, second)) == []


class TestItsCourse:
    """From its beginning to its end, in no rollout."""

    @pytest.fixture
    def world(self) -> World:
        """Return a world whose only service has settled, and is updated now."""
        world = World()
        world.look(healthy("web", template=OLD))
        begun = begin_updates(world.status, {"web": NEW}, "mill 0.2", world.now)
        world.stored = json.dumps(begun.model_dump(mode="json", by_alias=True))
        return world

    def test_it_ends_when_the_new_template_has_settled(self, world: World) -> None:
        told = world.told(full=True)
        world.look(pending("web", template=NEW)).look(starting("web", template=NEW))
        assert world.service("web").state is State.STARTING
        world.look(healthy("web", template=NEW))
        web = world.service("web")
        assert (web.state, web.healthy_template, web.is_updating, web.updated_by) == ("Healthy", NEW, False, "mill 0.2")
        assert world.told(full=True) == told

    def test_its_failure_is_in_no_rollout(self, world: World) -> None:
        told = world.told(full=True)
        world.look(failed("web", template=NEW))
        assert (world.kstatus, world.service("web").is_updating) == ("Failed", False)
        assert world.told(full=True) == told
        assert world.status.rollout is not None
        assert world.status.rollout.regressed == []
        world.deploy()
        world.look(pending("web", template=NEW))
        assert (world.status.history[0].failed, world.status.history[0].regressed) == ([], [])
        assert world.service("web").updated_by is None

    def test_it_takes_its_place_for_no_more_than_ten_minutes_without_progress(self, world: World) -> None:
        for _ in range(299):
            world.look(see("web", State.PULLING, template=NEW), after=1).look(pending("web", template=NEW), after=1)
        assert world.service("web").is_updating
        world.look(see("web", State.PULLING, template=NEW), after=2)
        assert (world.service("web").reason, world.service("web").is_updating) == ("Timeout", False)

    def test_in_a_rollout_that_changes_nothing_the_service_is_as_any_other(self, world: World) -> None:
        world.look(healthy("web", template=NEW))
        world.deploy()
        world.look(healthy("web", template=NEW))
        assert world.service("web").updated_by is None
        world.look(failed("web", template=NEW))
        assert world.status.rollout is not None
        assert [each.service for each in world.status.rollout.regressed] == ["web"]
