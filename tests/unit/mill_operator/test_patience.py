"""Patience at its edges: clocks that differ, pods that recover by themselves, and failures that no rule has found."""

from dataclasses import replace

import pytest

from mill_api.service_status import Phase, State
from mill_operator.core.internal_errors import internal_error_of
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.pods import ObservedPod
from tests.support.recordings import at, changed, pod, waiting
from tests.support.shops import Shop, crashed

WEB_MISSING = "failed to resolve reference: web:1: not found"
DB_MISSING = "failed to resolve reference: db:1: not found"


@pytest.fixture
def shop() -> Shop:
    """`web` refers to `db`, whose image is being pulled."""
    made = Shop("db", "web", refers_to={"web": ("db",)})
    made.set("db", replace(pod("pulling"), sandbox_ready=True))
    return made


def serving(since: float, *, by_node: float | None = None) -> ObservedPod:
    """Return a pod that is ready since then, and its node's time of it."""
    return pod("ready", ready_at=at(since if by_node is None else by_node), status_updated_at=at(since))


def ready_after_crashes(times: int, *, since: float) -> ObservedPod:
    end = Termination(1, "Error", "no database", at(since - 3), at(since - 2))
    return changed(serving(since), restarts=times, last_ended=end, running_since=at(since - 1))


def lost_readiness(times: int, *, at_second: float) -> ObservedPod:
    """Return a pod that was ready until it ended."""
    return replace(crashed(times, at_second=at_second), unready_since=at(at_second))


class TestWhenItServes:
    def test_the_ten_minutes_begin_then_however_long_the_wait_was(self, shop):
        shop.set("web", crashed(2, at_second=2))
        shop.look(3)
        shop.look(700)
        shop.set("db", serving(1000))
        assert shop.look(1000)["web"] is State.PENDING
        assert shop.wake_at == 1600
        assert shop.look(1599)["web"] is State.PENDING
        assert shop.look(1600)["web"] is State.FAILED

    def test_a_program_that_was_quicker_than_the_probe_of_its_database_is_not_blamed(self, shop):
        shop.set("web", crashed(2, at_second=18))
        shop.look(18)
        shop.set("web", ready_after_crashes(2, since=20))
        shop.look(20)
        shop.set("db", serving(22))
        assert shop.look(22)["web"] is State.SUSPECT
        assert shop.service("web").reason is None
        assert shop.wake_at == 30
        shop.look(30)
        assert shop.status.rollout.success

    @pytest.mark.parametrize("skew", [-60, -30, 30, 60])
    def test_pods_are_renewed_whatever_the_clock_of_the_database_s_node_says(self, shop, skew):
        shop.set("web", crashed(2, at_second=12), created=10)
        shop.look(13)
        shop.set("db", serving(20, by_node=20 + skew))
        assert shop.look(20)["web"] is State.PENDING
        assert shop.renewed == ["web-10"]
        shop.set("web", crashed(2, at_second=23), created=21)
        assert shop.look(24)["web"] is State.FAILED

    def test_a_crash_long_after_is_judged_as_alone(self, shop):
        """The pod is as old as the database, and has been ready since: its logs are not taken away."""
        shop.set("db", serving(5))
        shop.set("web", serving(5))
        shop.look(6)
        shop.set("web", lost_readiness(1, at_second=3000))
        assert shop.look(3001)["web"] is State.SUSPECT
        shop.set("web", lost_readiness(2, at_second=3010))
        assert shop.look(3011)["web"] is State.FAILED
        assert shop.renewed == []

    def test_other_causes_stay_known(self, shop):
        shop.set("web", replace(waiting("ErrImagePull", WEB_MISSING), status_updated_at=at(2)))
        assert shop.look(3)["web"] is State.FAILED
        shop.set("db", serving(100))
        assert shop.look(100)["web"] is State.FAILED

    def test_a_clock_that_was_a_year_ahead_renews_nobody_for_ever(self, shop):
        shop.set("db", serving(1))
        shop.set("web", crashed(1, at_second=4), created=2)
        shop.look(5)
        ahead = shop.service("db").model_copy(update={"serving_since": "2027-01-31T12:00:00Z"})
        shop.status = shop.status.model_copy(update={"services": [ahead, shop.service("web")]})
        shop.set("web", crashed(2, at_second=6), created=2)
        assert shop.look(7)["web"] is State.FAILED
        assert shop.renewed == []


class TestRoots:
    def test_a_database_that_an_internal_error_stops_is_a_root(self, shop):
        broken = internal_error_of(ValueError("no"))
        shop.desired = lambda made=shop.desired: _with_db(made(), internal_error=broken)  # type: ignore[method-assign]
        del shop.pods["db"]
        shop.set("web", crashed(2, at_second=2))
        shop.look(3)
        assert shop.look(33) == {"db": State.FAILED, "web": State.SUSPECT}
        assert shop.look(43) == {"db": State.FAILED, "web": State.FAILED}
        assert shop.status.rollout.finished_at is not None

    def test_an_autoscaler_s_zero_replicas_make_nobody_wait(self, shop):
        shop.desired = lambda made=shop.desired: _with_db(made(), replicas=None)  # type: ignore[method-assign]
        shop.replicas["db"] = 0
        del shop.pods["db"]
        shop.set("web", crashed(2, at_second=2))
        assert shop.look(3)["web"] is State.FAILED

    def test_a_failure_of_the_rollout_before_is_nobody_s_root(self):
        shop = Shop("db", "web", after={"web": ("db",)})
        shop.set("db", waiting("ErrImagePull", DB_MISSING, "db:1"))
        assert shop.look(1)["web"] is State.FAILED
        shop.deploy(db="db:2")
        shop.set("db", pod("pulling"), created=20)
        assert shop.look(20)["web"] is State.WAITING
        assert [step.phase for step in shop.service("web").transitions] == [Phase.WAITING]

    def test_a_failure_that_is_dated_in_the_future_is_one_of_now(self, shop):
        shop.set("db", crashed(2, at_second=2))
        shop.set("web", crashed(2, at_second=2))
        shop.look(3)
        ahead = shop.service("db").model_copy(update={"failed_at": "2027-01-31T12:00:00Z"})
        shop.status = shop.status.model_copy(update={"services": [ahead, shop.service("web")]})
        assert shop.look(4)["web"] is State.SUSPECT
        assert shop.look(14)["web"] is State.FAILED


class TestAfter:
    def test_a_service_that_is_held_has_not_settled_without_replicas_either(self):
        shop = Shop("c", "db", "web", after={"web": ("db",), "db": ("c",)})
        shop.set("c", pod("ready"))
        shop.set("db", pod("ready"))
        shop.set("web", pod("ready"))
        shop.look(1)
        assert shop.status.rollout.success
        shop.desired = lambda made=shop.desired: _with_db(made(), replicas=0)  # type: ignore[method-assign]
        shop.deploy(c="c:2", db="db:2", web="web:2")
        shop.set("c", pod("pulling"), created=20)
        assert shop.look(20) == {"c": State.PULLING, "db": State.WAITING, "web": State.WAITING}
        assert shop.service("db").settled_at is None


def _with_db(state: DesiredState, **changes: object) -> DesiredState:
    parts = (
        replace(part, wanted=replace(part.wanted, **changes)) if part.name == "db" else part for part in state.parts
    )
    return DesiredState(tuple(parts))
