"""The settling window: when a rollout succeeds, and what becomes of it when a service fails later."""

from dataclasses import replace
from datetime import timedelta

from mill_api.events import rollout_events
from mill_api.service_status import Phase, State
from mill_api.status import MillDeploymentStatus
from mill_operator.core import timestamps
from mill_operator.core.rollout.settling import NOT_SETTLED
from mill_operator.core.verdicts.settling_pods import SettlingPods, Window, settling_pods
from tests.support.recordings import at, changed, pod
from tests.support.rollouts import START, UID, World, failed, healthy, pending, see, starting, suspect

TEN = {"settle": 10}
BROKEN = SettlingPods(all_ready=False, is_broken=True, is_steady=False)


def crash(service: str, **more: object):
    return suspect(service, "ContainerExited", message="container exited with code 1", settling=BROKEN, **TEN, **more)


class TestTheWindow:
    def test_a_rollout_succeeds_when_its_services_have_stayed_ready(self, world):
        world.look(starting("web", **TEN)).look(healthy("web", **TEN))
        begun = world.now
        assert world.told() == ["web scheduled node-1", "web healthy"]
        assert (world.kstatus, world.wake_at) == ("InProgress", begun + timedelta(seconds=10))
        assert world.condition("Ready").message == "1 of 1 healthy; waiting for web to stay ready"
        world.look(healthy("web", **TEN), after=9.9)
        assert (world.kstatus, world.service("web").healthy_template) == ("InProgress", None)
        world.look(healthy("web", **TEN), after=0.1)
        assert world.told()[2:] == ["done good"]
        assert (world.kstatus, world.service("web").healthy_template) == ("Current", "aaaaaaaaaa")
        assert world.service("web").settled_at == timestamps.render(world.now)
        assert world.events()[-1].data == {"elapsed": 10.1, "success": True}

    def test_without_a_window_it_succeeds_at_once(self, world):
        assert world.look(healthy("web", settle=0)).told()[-1] == "done good"

    def test_no_replicas_settle_at_once(self, world):
        assert world.look(healthy("web", desired=0, **TEN)).told()[-1] == "done good"

    def test_a_crash_begins_it_again(self, world):
        world.look(healthy("web", **TEN)).look(crash("web"), after=8)
        assert world.service("web").settling_since is None
        world.look(healthy("web", **TEN), after=1).look(healthy("web", **TEN), after=9)
        assert world.kstatus == "InProgress"
        assert world.look(healthy("web", **TEN), after=1).told()[-1] == "done good"

    def test_a_crash_that_the_operator_did_not_observe_begins_it_again(self, world):
        world.look(healthy("web", **TEN))
        restarted = SettlingPods(all_ready=True, crashes=1, is_broken=True, is_steady=True)
        world.look(healthy("web", settling=restarted, **TEN), after=10)
        assert world.service("web").settling_since == timestamps.render(world.now)
        assert world.service("web").settling_crashes == 1

    def test_lost_readiness_makes_a_service_suspect(self, world):
        world.look(healthy("web", **TEN)).look(starting("web", settling=BROKEN, **TEN), after=5)
        assert world.service("web").state is State.SUSPECT
        assert world.service("web").settling_since is None

    def test_one_that_begins_in_the_future_begins_now(self, world):
        """The clock of another operator was ahead."""
        world.look(healthy("web", **TEN))
        ahead = world.service("web").model_copy(update={"settling_since": "2027-01-01T00:00:00Z"})
        world.store(world.status.model_copy(update={"services": [ahead]}))
        world.look(healthy("web", **TEN), after=1).look(healthy("web", **TEN), after=10)
        assert world.told()[-1] == "done good"

    def test_a_second_crash_fails_the_rollout(self, world):
        world.look(healthy("web", **TEN)).look(crash("web"), after=5)
        world.look(failed("web", "ContainerExited", message="container exited with code 1", **TEN), after=6)
        assert world.told()[2:] == ["web failed: container exited with code 1", "done with errors"]

    def test_it_waits_for_the_deployment_to_call_the_pods_available(self, world):
        waits = SettlingPods(all_ready=True, is_steady=False)
        world.look(healthy("web", settling=waits, **TEN)).look(healthy("web", settling=waits, **TEN), after=10)
        assert world.kstatus == "InProgress"
        assert world.look(healthy("web", **TEN), after=1).told()[-1] == "done good"

    def test_pods_that_are_taken_away_or_added_neither_fail_nor_prolong_it(self, world):
        world.look(healthy("web", **TEN))
        rest = SettlingPods(all_ready=False, is_steady=True)
        world.look(see("web", State.PENDING, settling=rest, **TEN), after=5)
        assert world.service("web").state is State.SUSPECT
        world.look(see("web", State.PENDING, settling=rest, **TEN), after=5)
        assert (world.told()[-1], world.kstatus) == ("done good", "Current")

    def test_a_service_that_has_not_been_healthy_does_not_settle(self, world):
        """A pod without a port is ready at once, and may be deleted before it counts as healthy."""
        ready = SettlingPods(all_ready=True, is_steady=True)
        world.look(starting("web", settling=ready, settle=1))
        world.look(starting("web", settling=ready, settle=1), after=1)
        assert (world.service("web").settled_at, world.told()[-1]) == (None, "web scheduled node-1")
        world.look(healthy("web", settle=1), after=1)
        assert world.told()[-2:] == ["web healthy", "done good"]

    def test_it_ends_well_with_a_warning_when_pods_are_taken_away_all_the_time(self, world):
        taken = SettlingPods(all_ready=False, is_steady=False)
        world.look(healthy("web", **TEN)).look(see("web", State.PENDING, settling=taken, **TEN), after=599)
        assert world.kstatus == "InProgress"
        world.look(see("web", State.STARTING, settling=taken, **TEN), after=1)
        assert world.told()[-1] == "done good"
        assert [(each.service, each.code) for each in world.status.warnings] == [("web", NOT_SETTLED)]

    def test_a_failed_neighbor_ends_the_rollout_at_once(self, world):
        world.look(healthy("web", **TEN), failed("broken", **TEN))
        assert world.told()[-1] == "done with errors"
        assert world.status.rollout.last_seq == 3


class TestEveryRolloutEnds:
    UNREADY = SettlingPods(all_ready=False, is_broken=True, is_steady=False)

    def unready(self, world: World, code: str = "HealthCheckTimeout"):
        """Return a service that is not ready, and has thirty seconds left."""
        made = see("web", State.STARTING, code=code, settling=self.UNREADY, **TEN)
        due = world.now + timedelta(seconds=30)
        return replace(made, finding=replace(made.finding, since=world.now, due=due))

    def test_readiness_that_comes_and_goes_fails_after_an_hour(self, world):
        world.look(starting("web", **TEN))
        for _ in range(359):
            world.look(healthy("web", **TEN), after=5).look(self.unready(world), after=5)
            assert world.status.rollout.finished_at is None
        world.look(healthy("web", **TEN), after=5).look(self.unready(world), after=10)
        assert (world.status.rollout.success, world.service("web").rule) == (False, "timeout")

    def test_a_window_that_was_broken_an_hour_ago_may_still_end_well(self, world):
        world.look(healthy("web", **TEN)).look(self.unready(world), after=5)
        world.look(healthy("web", **TEN), after=3600).look(healthy("web", **TEN), after=10)
        assert world.status.rollout.success

    def test_causes_that_follow_each_other_fail_two_hours_after_the_last_progress(self, world):
        world.look(starting("web", **TEN))
        for number in range(7200 // 20 - 1):
            world.look(self.unready(world, ("HealthCheckTimeout", "Unschedulable")[number % 2]), after=20)
            assert world.status.rollout.finished_at is None or number > 30
        world.look(self.unready(world), after=20)
        assert world.status.rollout.success is False


class TestTheNextRollout:
    def test_an_open_window_goes_on_and_the_service_acts(self, world):
        """`web` exits after five seconds, and is deployed twice within three: neither is a success."""
        world.look(healthy("web", **TEN)).deploy()
        world.look(healthy("web", **TEN), after=3)
        assert world.told() == ["web scheduled node-1", "web healthy"]
        assert world.service("web").settling_since == timestamps.render(START + timedelta(seconds=0.1))
        world.look(crash("web"), after=2)
        world.look(failed("web", "ContainerExited", **TEN), after=6)
        assert (world.told()[-1], world.told("1")[-1]) == ("done with errors", "done with errors")

    def test_another_template_has_a_window_of_its_own(self, world):
        world.look(healthy("web", **TEN)).deploy()
        world.look(healthy("web", template="b", **TEN), after=9).look(healthy("web", template="b", **TEN), after=9)
        assert world.kstatus == "InProgress"

    def test_what_has_settled_is_unchanged(self, world):
        world.look(healthy("web", **TEN)).look(healthy("web", **TEN), after=10).deploy()
        assert world.look(healthy("web", **TEN)).told() == ["done good"]

    def test_a_service_that_failed_has_to_settle_again(self, world):
        world.look(healthy("web", **TEN)).look(healthy("web", **TEN), after=10)
        world.look(failed("web", **TEN), after=5).look(healthy("web", **TEN), after=5)
        assert world.kstatus == "InProgress"
        world.look(healthy("web", **TEN), after=10)
        assert world.kstatus == "Current"

    def test_what_an_earlier_release_has_found_healthy_has_settled(self, world):
        world.look(healthy("web")).look(healthy("web"), after=1)
        known = world.status
        service = known.services[0].model_copy(update={"settled_at": None, "settle": None})
        world.stored = known.model_copy(update={"services": [service]}).model_dump_json(by_alias=True)
        assert world.look(healthy("web", **TEN)).kstatus == "Current"


class TestAfterwards:
    def late(self, world: World, *, after: float = 14) -> MillDeploymentStatus:
        world.look(healthy("web", **TEN)).look(healthy("web", **TEN), after=10)
        why = {"message": "container exited with code 1"}
        return world.look(failed("web", "ContainerExited", **why, **TEN), after=after).status

    def test_what_fails_later_is_written_into_the_rollout(self, world):
        status = self.late(world)
        (regression,) = status.rollout.regressed
        assert (regression.service, regression.code, regression.seq) == ("web", "ContainerExited", None)
        assert (regression.reason, regression.at) == ("container exited with code 1", timestamps.render(world.now))
        assert status.rollout.success

    def test_done_and_what_came_before_it_never_change(self, world):
        world.look(healthy("web", **TEN)).look(healthy("web", **TEN), after=10)
        sent = world.events(full=True)
        world.look(failed("web", **TEN), after=14).look(healthy("web", **TEN), after=1).look(failed("web", **TEN))
        assert world.events(full=True) == sent
        assert len(world.status.rollout.regressed) == 1

    def test_the_history_keeps_it(self, world):
        self.late(world)
        world.deploy()
        world.look(pending("web", **TEN))
        (past,) = world.status.history
        assert (past.success, [each.service for each in past.regressed]) == (True, ["web"])

    def test_the_history_keeps_the_cause_of_what_has_healed(self, world):
        world.look(failed("web", "HealthCheckTimeout", message="health check timeout after 30s", **TEN))
        world.look(healthy("web", **TEN), after=30).look(healthy("web", **TEN), after=10).deploy()
        world.look(healthy("web", **TEN))
        (past,) = world.status.history
        assert [each.reason for each in past.failed] == ["health check timeout after 30s"]

    def test_a_failure_in_a_window_that_a_neighbor_s_failure_has_cut_short(self, world):
        world.look(healthy("web", **TEN), failed("broken", **TEN))
        whole = world.events()
        web = rollout_events(UID, "1", {"generation": 1}, world.status, only="web")
        assert [each.name for each in web] == ["progress", "progress"]
        world.look(failed("web", "ContainerExited", **TEN), failed("broken", **TEN), after=8)
        assert world.events() == whole
        (regression,) = world.status.rollout.regressed
        assert (regression.service, regression.seq) == ("web", 4)
        web = rollout_events(UID, "1", {"generation": 1}, world.status, only="web")
        assert [each.name for each in web] == ["progress", "progress", "failed", "done"]
        world.deploy()
        world.look(pending("web", **TEN), pending("broken", **TEN))
        past = rollout_events(UID, "1", {"generation": 2}, world.status, only="web")
        assert [(each.name, each.data.get("success")) for each in past] == [("failed", None), ("done", False)]

    def test_a_window_that_outlasts_its_rollout_ends_its_stream(self, world):
        world.look(healthy("web", **TEN), failed("broken", **TEN))
        world.look(healthy("web", **TEN), failed("broken", **TEN), after=10)
        web = rollout_events(UID, "1", {"generation": 1}, world.status, only="web")
        assert (web[-1].name, web[-1].data) == ("done", {"elapsed": 10.0, "success": True})
        assert world.status.rollout.regressed == []

    def test_a_failure_that_the_rollout_has_reported_is_no_regression(self, world):
        world.look(failed("web", **TEN), starting("slow", **TEN)).look(healthy("web", **TEN), healthy("slow", **TEN))
        world.look(failed("web", **TEN), failed("slow", **TEN), after=60)
        assert [each.service for each in world.status.rollout.regressed] == []

    def test_a_service_that_settled_before_it_failed_in_its_rollout(self, world):
        quick, slow = {"settle": 1}, {"settle": 60}
        world.look(healthy("web", **quick), starting("slow", **slow)).look(
            healthy("web", **quick), starting("slow", **slow), after=1
        )
        world.look(failed("web", **quick), healthy("slow", **slow), after=1)
        assert world.told()[-1] == "done with errors"
        web = world.service("web")
        assert [each.phase for each in web.transitions][-2:] == [Phase.HEALTHY, Phase.FAILED]
        assert web.transitions[-2].seq < web.settlement.seq < web.transitions[-1].seq


class TestThePods:
    """What the pods of a service report."""

    OPEN = Window(at(5), 0, at(5))

    def observe(self, *pods, available: int = 2, desired: int = 2, window: Window | None = OPEN, others: int = 0):
        ready = [each for each in pods if each.ready]
        return settling_pods(pods, ready, desired=desired, available=available, others_ready=others, window=window)

    def test_before_it_begins(self):
        assert not self.observe(pod("ready"), window=None).all_ready
        assert self.observe(pod("ready"), pod("ready", uid="2"), window=None).all_ready

    def test_all_are_ready_and_available(self):
        assert self.observe(pod("ready"), pod("ready", uid="2")).is_steady
        assert not self.observe(pod("ready"), pod("ready", uid="2"), available=1).is_steady
        assert not self.observe(pod("ready"), pod("ready", uid="2"), others=2, available=3).is_steady

    def test_one_has_restarted(self):
        seen = self.observe(pod("ready"), changed(pod("ready", uid="2"), restarts=1))
        assert (seen.is_broken, seen.crashes, seen.all_ready) == (True, 1, True)

    def test_restarts_before_it_began_do_not_count(self):
        restarted = changed(pod("ready"), restarts=3)
        assert not self.observe(restarted, pod("ready", uid="2"), window=Window(at(5), 3, at(5))).is_broken

    def test_a_pod_too_many_need_not_be_ready(self):
        """Someone restarts the Deployment: the new pods have the same template, and find no node."""
        seen = self.observe(pod("ready"), pod("ready", uid="2"), pod("unschedulable", uid="3"))
        assert (seen.is_broken, seen.is_steady) == (False, True)

    def test_the_pods_of_a_window_are_known_by_the_clock_that_dates_them(self):
        """The operator's is a minute behind: for it, the window began before its pods were created."""
        behind = Window(at(-55), 0, newest=at(0))
        seen = self.observe(pod("ready"), changed(pod("ready", uid="2"), restarts=1), window=behind)
        assert seen.is_broken

    def test_one_is_not_ready_any_more(self):
        assert self.observe(pod("ready"), pod("unready", uid="2")).is_broken

    def test_one_was_taken_away_and_its_successor_starts(self):
        late = pod("unready", uid="3", created=at(8))
        seen = self.observe(pod("ready"), late, available=1)
        assert (seen.is_broken, seen.is_steady, seen.all_ready) == (False, True, False)

    def test_all_were_taken_away(self):
        late = [pod("ready", uid=uid, created=at(8)) for uid in ("3", "4")]
        assert not self.observe(*late, available=1).is_steady
        assert self.observe(*late, available=2).is_steady
        assert not self.observe().is_steady
