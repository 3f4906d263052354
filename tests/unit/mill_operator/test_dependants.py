"""Services that refer to others, or come after them: patient while those serve nothing, judged as alone otherwise."""

from dataclasses import replace

import pytest

from mill_api.service_status import State
from mill_operator.core import timestamps
from mill_operator.core.objects.rendering import DesiredState
from tests.support.recordings import at, pod, waiting
from tests.support.shops import Shop, crashed, unready

TAG_MISSING = "failed to resolve reference: db:2: not found"


@pytest.fixture
def shop() -> Shop:
    """`web` refers to `db`."""
    made = Shop("db", "web", refers_to={"web": ("db",)})
    made.set("db", pod("pulling"))
    return made


class TestPatience:
    def test_a_program_may_crash_until_its_database_serves(self, shop):
        shop.set("web", crashed(2, at_second=2))
        assert shop.look(3)["web"] is State.SUSPECT
        assert shop.service("web").message == "waiting for db: container exited with code 1"
        assert shop.look(500)["web"] is State.SUSPECT
        shop.set("db", pod("ready"))
        shop.look(501)
        assert shop.renewed == ["web-0.0"]
        shop.set("web", pod("ready"), created=502)
        assert shop.look(503) == {"db": State.HEALTHY, "web": State.HEALTHY}
        assert shop.status.rollout.success

    def test_pods_are_renewed_once(self, shop):
        shop.set("web", crashed(2, at_second=2))
        shop.look(3)
        shop.set("db", pod("ready"))
        shop.look(60)
        shop.set("web", crashed(1, at_second=63), created=61)
        assert shop.look(64)["web"] is State.SUSPECT
        shop.set("web", crashed(2, at_second=66), created=61)
        assert shop.look(67)["web"] is State.FAILED
        assert shop.renewed == ["web-0.0"]

    def test_a_pod_that_has_not_crashed_is_not_renewed_and_its_time_begins_again(self, shop):
        shop.set("web", unready(since=1))
        assert shop.look(20)["web"] is State.STARTING
        assert shop.look(100)["web"] is State.SUSPECT
        shop.set("db", pod("ready", ready_at=at(101)))
        assert shop.look(101)["web"] is State.STARTING
        assert (shop.renewed, shop.service("web").due_at) == ([], timestamps.render(at(131)))
        assert shop.look(130)["web"] is not State.FAILED
        assert shop.look(131)["web"] is State.FAILED

    def test_other_causes_are_judged_as_alone(self, shop):
        shop.set("web", waiting("ErrImagePull", "failed to resolve reference: web:1: not found"))
        assert shop.look(2)["web"] is State.FAILED
        assert shop.service("web").root is None

    def test_where_an_old_version_serves_nobody_is_patient(self, shop):
        shop.set("db", pod("ready"), image="db:0")
        shop.set("web", crashed(2, at_second=12), created=10)
        assert shop.look(13)["web"] is State.FAILED
        assert shop.service("web").root is None

    def test_a_database_without_replicas_makes_nobody_wait(self):
        shop = Shop("db", "web", refers_to={"web": ("db",)})
        shop.desired = lambda made=shop.desired: _without_replicas(made(), "db")  # type: ignore[method-assign]
        shop.set("web", crashed(2, at_second=2))
        assert shop.look(3)["web"] is State.FAILED

    def test_what_waits_has_no_limit_of_its_own_and_what_it_waits_for_has(self, shop):
        shop.set("db", replace(pod("pulling"), bound_at=None, node=None))
        shop.set("web", crashed(2, at_second=2))
        shop.look(3)
        assert shop.look(602)["web"] is State.SUSPECT
        shop.look(604)
        assert (shop.service("db").state, shop.service("db").reason) == (State.FAILED, "Timeout")
        assert shop.service("web").state is State.SUSPECT
        assert shop.wake_at == 614
        assert shop.look(614)["web"] is State.FAILED
        assert shop.service("web").root == "db"


class TestRoots:
    def test_a_permanent_failure_is_followed_at_once(self, shop):
        shop.set("web", crashed(2, at_second=2))
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(3) == {"db": State.FAILED, "web": State.FAILED}
        web = shop.service("web")
        assert web.root == "db"
        assert web.message == "container exited with code 1 (db has failed: image pull failed: tag not found)"
        assert shop.condition() == "2 of 2 failed: db: image pull failed: tag not found, and with it web"

    def test_never_before_its_own_time(self, shop):
        shop.set("web", unready(since=1))
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(3)["web"] is State.STARTING
        assert shop.look(32)["web"] is State.STARTING
        assert shop.look(33)["web"] is State.FAILED

    def test_crashes_wait_ten_seconds_after_a_failure_that_may_heal(self, shop):
        shop.set("web", crashed(2, at_second=2))
        shop.set("db", crashed(1, at_second=2))
        assert shop.look(3) == {"db": State.SUSPECT, "web": State.SUSPECT}
        shop.set("db", crashed(2, at_second=6))
        assert shop.look(7) == {"db": State.FAILED, "web": State.SUSPECT}
        assert shop.look(17)["web"] is State.FAILED

    def test_a_chain_counts_the_ten_seconds_once(self):
        shop = Shop("db", "api", "web", refers_to={"web": ("api",), "api": ("db",)})
        for name in ("db", "api", "web"):
            shop.set(name, crashed(2, at_second=2))
        assert shop.look(3) == {"db": State.FAILED, "api": State.SUSPECT, "web": State.SUSPECT}
        assert shop.look(13) == {"db": State.FAILED, "api": State.FAILED, "web": State.FAILED}
        assert (shop.service("api").root, shop.service("web").root) == ("db", "db")
        assert shop.condition() == "3 of 3 failed: db: container exited with code 1, and with it api, web"

    def test_a_service_in_no_trouble_of_its_own_names_no_root(self, shop):
        shop.set("web", pod("ready"))
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(3) == {"db": State.FAILED, "web": State.HEALTHY}
        assert shop.service("web").root is None


class TestAfter:
    """`web` comes after `db`."""

    @pytest.fixture
    def shop(self) -> Shop:
        made = Shop("db", "web", settle=10, after={"web": ("db",)})
        made.set("db", pod("ready"))
        return made

    def test_its_pods_are_not_made_before_the_other_has_settled(self, shop):
        assert shop.look(1) == {"db": State.HEALTHY, "web": State.WAITING}
        assert shop.service("web").message == "waiting for db"
        assert [*shop.written] == ["db"]
        assert shop.wake_at == 11
        assert shop.look(11)["web"] is State.PENDING
        assert [*shop.written] == ["db", "web"]

    def test_it_waits_without_a_limit(self, shop):
        shop.set("db", replace(pod("pulling"), sandbox_ready=True))
        shop.look(1)
        assert shop.look(3010)["web"] is State.WAITING
        assert shop.service("db").message == "pulling for 50m"

    def test_when_the_other_fails_it_has_not_begun(self, shop):
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        assert shop.look(1) == {"db": State.FAILED, "web": State.FAILED}
        web = shop.service("web")
        assert (web.reason, web.message) == ("NotBegun", "not begun: db has failed: image pull failed: tag not found")
        assert shop.condition() == "2 of 2 failed: db: image pull failed: tag not found, and with it web"
        assert shop.status.rollout.finished_at is not None

    def test_when_the_other_heals_it_begins_though_the_rollout_has_finished(self, shop):
        shop.set("db", waiting("ErrImagePull", TAG_MISSING, "db:1"))
        shop.look(1)
        shop.set("db", pod("ready"))
        assert shop.look(60)["web"] is State.WAITING
        shop.look(70)
        assert [*shop.written] == ["db", "web"]

    def test_on_an_update_the_old_version_serves_on(self, shop):
        shop.look(1)
        shop.look(11)
        shop.set("web", pod("ready"))
        shop.look(12)
        shop.look(22)
        assert shop.status.rollout.success
        before = dict(shop.written)
        shop.deploy(db="db:2", web="web:2")
        shop.set("db", pod("ready"))
        shop.set("web", pod("ready"), image="web:1")
        assert shop.look(30)["web"] is State.WAITING
        assert (shop.written["web"], shop.written["db"] != before["db"]) == (before["web"], True)
        assert shop.service("web").replicas.serving == 1
        shop.look(40)
        assert shop.written["web"] != before["web"]

    def test_a_service_that_does_not_change_does_not_wait(self, shop):
        shop.look(1)
        shop.look(11)
        shop.set("web", pod("ready"))
        shop.look(12)
        shop.look(22)
        shop.deploy(db="db:2")
        shop.set("db", pod("pulling"))
        assert shop.look(30)["web"] is State.HEALTHY

    def test_a_chain_begins_link_by_link_and_names_its_root(self):
        shop = Shop("c", "b", "a", after={"a": ("b",), "b": ("c",)})
        shop.set("c", waiting("ErrImagePull", "failed to resolve reference: c:1: not found", "c:1"))
        assert set(shop.look(1).values()) == {State.FAILED}
        assert shop.service("a").message == "not begun: c has failed: image pull failed: tag not found"


def _without_replicas(state: DesiredState, service: str) -> DesiredState:
    return DesiredState(
        tuple(
            replace(part, wanted=replace(part.wanted, replicas=0)) if part.name == service else part
            for part in state.parts
        )
    )
