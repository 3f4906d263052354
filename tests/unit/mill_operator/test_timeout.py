"""Services that make no progress."""

from datetime import timedelta

from mill_api.service_status import State
from mill_operator.core import timestamps
from tests.support.rollouts import HOUR, START, healthy, pending, see, starting, suspect


class TestSchedulingGate:
    def test_a_pod_that_a_queue_holds_back_has_its_time_afterwards(self, world):
        gated = suspect("web", "SchedulingGated", waits=True)
        world.look(pending("web")).look(gated, after=1).look(gated, after=2 * HOUR)
        assert world.service("web").state is State.SUSPECT
        world.look(pending("web"), after=1)
        assert world.service("web").state is State.PENDING
        world.look(pending("web"), after=599)
        assert world.service("web").state is State.PENDING
        world.look(pending("web"), after=1)
        assert world.service("web").reason == "Timeout"


class TestTimeout:
    def test_ten_minutes_without_progress_are_a_failure(self, world):
        world.look(see("web", State.PULLING), after=0)
        assert world.wake_at == START + timedelta(minutes=10)
        world.look(see("web", State.PULLING), after=599)
        assert world.kstatus == "InProgress"
        world.look(see("web", State.PULLING), after=1)
        assert world.told() == ["web failed: no progress for 10m", "done with errors"]
        assert (world.kstatus, world.service("web").reason) == ("Failed", "Timeout")

    def test_progress_restarts_the_timeout(self, world):
        world.look(see("web", State.PULLING), after=0)
        world.look(starting("web"), after=500)
        world.look(starting("web"), after=599)
        assert world.kstatus == "InProgress"
        world.look(starting("web"), after=1)
        assert world.kstatus == "Failed"

    def test_one_more_ready_replica_is_progress(self, world):
        world.look(starting("web", desired=3), after=0)
        world.look(starting("web", desired=3, ready=1), after=500)
        world.look(starting("web", desired=3, ready=1), after=599)
        assert world.kstatus == "InProgress"
        world.look(starting("web", desired=3, ready=1), after=1)
        assert world.kstatus == "Failed"

    def test_alternating_states_are_no_progress(self, world):
        """The controller replaces pods that a node rejects, again and again."""
        world.look(pending("web"), after=0)
        for _ in range(299):
            world.look(see("web", State.PULLING), after=1).look(pending("web"), after=1)
        assert world.kstatus == "InProgress"
        world.look(see("web", State.PULLING), after=1).look(pending("web"), after=1).look(pending("web"), after=1)
        assert world.told() == ["web failed: no progress for 10m", "done with errors"]

    def test_a_service_that_loses_a_pod_has_the_whole_timeout(self, world):
        world.look(healthy("web"), after=0).deploy()
        world.look(healthy("web"), starting("slow"), after=HOUR)
        world.look(pending("web"), starting("slow"), after=1)
        assert world.service("web").state is State.SUSPECT
        assert world.service("web").moved_at == timestamps.render(world.now)

    def test_after_the_end_a_service_that_does_not_recover_times_out_too(self, world):
        told = world.look(healthy("web")).told()
        world.look(pending("web"), after=HOUR)
        assert world.wake_at == world.now + timedelta(minutes=10)
        world.look(pending("web"), after=600)
        assert (world.kstatus, world.service("web").reason) == ("Failed", "Timeout")
        assert world.told() == told

    def test_a_clock_that_was_ahead_does_not_prolong_the_timeout(self, world):
        world.look(see("web", State.PULLING), after=HOUR)
        world.now = START
        world.look(see("web", State.PULLING), after=0)
        assert world.wake_at == START + timedelta(minutes=10)

    def test_a_timeout_names_the_finding_as_its_cause(self, world):
        for after in (0, 600):
            world.look(suspect("web", "PullThrottled", message="image pull failed: pull QPS exceeded"), after=after)
        assert world.told() == ["web failed: image pull failed: pull QPS exceeded", "done with errors"]

    def test_a_timeout_stands_until_a_better_or_worse_observation(self, world):
        world.look(see("web", State.PULLING), starting("other"), after=0)
        world.look(see("web", State.PULLING), starting("other", node="node-2"), after=300)
        for _ in range(3):
            world.look(see("web", State.PULLING), starting("other", node="node-2"), after=100)
        for _ in range(3):
            world.look(see("web", State.PULLING), starting("other"))
            assert world.service("web").state is State.FAILED
            assert world.kstatus == "Failed"
        world.look(see("web", State.PULLING), healthy("other"))
        world.look(see("web", State.PULLING), healthy("other"), after=HOUR)
        assert (world.kstatus, world.service("web").message) == ("Failed", "no progress for 10m")
        assert world.look(healthy("web"), healthy("other")).kstatus == "Current"

    def test_a_finished_rollout_is_not_requeued(self, world):
        assert world.look(healthy("web")).wake_at is None

    def test_the_earliest_time_of_a_verdict_is_requeued_first(self, world):
        assert world.look(starting("web", wake=30), after=0).wake_at == START + timedelta(seconds=30)
