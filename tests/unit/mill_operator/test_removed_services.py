"""Services that leave the file: the rollout waits for their last pods, for a while."""

from datetime import timedelta

from mill_api.service_status import State
from tests.support.rollouts import HOUR, LOST, World, healthy, pending


class TestRemoval:
    def test_done_waits_for_the_last_pod(self, world):
        world.look(healthy("web"), healthy("old")).deploy()
        world.look(healthy("web"), present={"old": LOST})
        assert world.told() == []
        assert (world.kstatus, world.service("old").state) == ("InProgress", State.STOPPING)
        world.look(healthy("web"))
        assert world.told() == ["old stopped", "done good"]
        assert world.kstatus == "Current"

    def test_a_stopped_service_is_forgotten_with_the_next_rollout(self, world):
        world.look(healthy("web"), healthy("old")).deploy()
        world.look(healthy("web")).deploy()
        world.look(healthy("web"))
        assert [each.name for each in world.status.services] == ["web"]

    def test_done_waits_for_a_removed_service_that_the_status_does_not_have(self, world):
        world.look(healthy("web"), present={"left-over": LOST})
        assert "done good" not in world.told()
        assert world.look(healthy("web")).told()[-2:] == ["left-over stopped", "done good"]

    def test_a_service_that_returns_while_it_stops_starts_again(self, world):
        world.look(healthy("web"), healthy("old")).deploy()
        world.look(healthy("web"), present={"old": LOST}).deploy()
        world.look(healthy("web"), pending("old"))
        assert world.look(healthy("web"), healthy("old")).told() == [
            "old scheduled node-1", "old healthy", "done good",
        ]  # fmt: skip


class TestNotStopped:
    """A removed service whose node is lost: its kubelet does not confirm that the pods have ended."""

    def lose(self, world: World) -> World:
        world.look(healthy("web"), healthy("old")).deploy()
        return world.look(healthy("web"), present={"old": LOST}, after=0)

    def test_after_the_timeout_it_is_a_failure_with_a_cause_and_the_rollout_ends(self, world):
        self.lose(world)
        assert world.wake_at == world.now + timedelta(seconds=75)
        world.look(healthy("web"), present={"old": LOST}, after=74)
        assert world.told() == []
        world.look(healthy("web"), present={"old": LOST}, after=1)
        assert world.told() == ["old failed: not stopped: node node-2 does not answer", "done with errors"]
        assert (world.kstatus, world.service("old").reason) == ("Failed", "NotStopped")
        assert world.condition("Ready").message == "1 of 2 failed: old: not stopped: node node-2 does not answer"

    def test_once_it_is_gone_the_resource_is_ready_and_the_rollout_keeps_its_result(self, world):
        self.lose(world).look(healthy("web"), present={"old": LOST}, after=75)
        told = world.told()
        world.look(healthy("web"), after=HOUR)
        assert (world.kstatus, world.service("old").state) == ("Current", State.STOPPED)
        assert world.told() == told

    def test_the_next_rollout_does_not_wait_for_it_again(self, world):
        self.lose(world).look(healthy("web"), present={"old": LOST}, after=75).deploy()
        world.look(healthy("web"), present={"old": LOST}, after=1)
        assert world.told() == ["old failed: not stopped: node node-2 does not answer", "done with errors"]

    def test_a_service_that_is_desired_again_is_like_any_other(self, world):
        self.lose(world).look(healthy("web"), present={"old": LOST}, after=75).deploy()
        world.look(healthy("web"), healthy("old"))
        assert world.told() == ["old scheduled node-1", "old healthy", "done good"]
