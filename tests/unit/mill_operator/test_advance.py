"""Sequences of observations, and the events and conditions that follow from them."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mill_api.events import Event
from mill_api.service_status import Phase, State
from mill_api.status import HISTORY_KEPT
from mill_operator.core import limits, timestamps
from mill_operator.core.verdicts.observation import Observation
from tests.support.rollouts import NOT_FOUND, START, World, failed, healthy, pending, see, starting, suspect

LOST = "node node-2 does not answer"


def _sse(event: str, data: str, seq: str) -> bytes:
    return f"event: {event}\r\ndata: {data}\r\nid: 01234567.1.{seq}\r\n\r\n".encode()


@pytest.fixture
def world() -> World:
    return World()


class TestTheScenario:
    """One good service, one whose tag does not exist."""

    def test_the_good_one_first(self, world):
        world.look(pending("web"), pending("broken"))
        assert (world.told(), world.kstatus) == ([], "InProgress")
        world.look(healthy("web"), see("broken", State.PULLING))
        assert world.kstatus == "InProgress"
        world.look(healthy("web"), failed("broken"))
        assert world.told() == [
            "web scheduled node-1", "web healthy", f"broken failed: {NOT_FOUND}", "done with errors",
        ]  # fmt: skip
        assert world.kstatus == "Failed"
        assert world.status.healthy == "1/2"

    def test_the_bad_one_first_is_stalled_at_once_and_done_waits(self, world):
        world.look(starting("web"), failed("broken"))
        assert world.told() == ["web scheduled node-1", f"broken failed: {NOT_FOUND}"]
        assert world.kstatus == "Failed"
        assert world.condition("Ready").message == f"1 of 2 failed: broken: {NOT_FOUND}; 1 still starting"
        world.look(healthy("web"), failed("broken"))
        assert world.told()[2:] == ["web healthy", "done with errors"]

    def test_the_first_events_to_the_byte(self, world):
        world.look(healthy("web", settle=10), failed("broken"))
        assert [each.encode() for each in world.events()] == [
            _sse("progress", '{"service": "web", "phase": "scheduled", "node": "node-1"}', "1"),
            _sse("progress", '{"service": "web", "phase": "healthy"}', "2"),
            _sse("failed", '{"service": "broken", "reason": "image pull failed: tag not found"}', "3"),
            _sse("done", '{"elapsed": 0.0, "success": false}', "end"),
        ]

    def test_the_fix_leaves_the_good_one_silent(self, world):
        world.look(healthy("web"), failed("broken"))
        world.deploy()
        world.look(healthy("web"), pending("broken", template="bbbbbbbbbb"))
        world.look(healthy("web"), healthy("broken", template="bbbbbbbbbb"))
        assert world.told() == ["broken scheduled node-1", "broken healthy", "done good"]
        assert world.kstatus == "Current"


class TestRedeploy:
    def test_unchanged_healthy_services_have_no_events_but_done(self, world):
        world.look(healthy("web"))
        since = world.condition("Ready").last_transition_time
        world.deploy()
        world.look(healthy("web"), after=60)
        assert world.told() == ["done good"]
        assert world.condition("Ready").last_transition_time == since

    def test_a_changed_template_restarts_the_service(self, world):
        world.look(healthy("web")).deploy()
        world.look(pending("web", template="bbbbbbbbbb"))
        assert world.kstatus == "InProgress"
        world.look(healthy("web", template="bbbbbbbbbb"))
        assert world.told() == ["web scheduled node-1", "web healthy", "done good"]

    def test_more_replicas_are_a_rollout_of_the_same_template(self, world):
        world.look(healthy("web")).deploy()
        world.look(starting("web", desired=2))
        world.look(healthy("web", desired=2, node="node-2"))
        assert world.told() == ["web scheduled node-1", "web scheduled node-2", "web healthy", "done good"]

    def test_no_replicas_are_healthy_without_a_node(self, world):
        world.look(healthy("web")).deploy()
        assert world.look(healthy("web", desired=0)).told() == ["web healthy", "done good"]

    def test_a_request_for_the_same_generation_is_a_rollout_of_its_own(self, world):
        world.look(failed("web"))
        world.deploy(request="again")
        world.look(healthy("web"))
        assert world.told() == ["web scheduled node-1", "web healthy", "done good"]
        assert world.told("1") == [f"web failed: {NOT_FOUND}", "done with errors"]

    def test_no_services_at_all_are_done_at_once(self, world):
        assert world.look().told() == ["done good"]
        assert world.kstatus == "Current"


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


class TestRolledBack:
    """A service with a volume: its old pod had to end before the new one, which fails, could start."""

    GOOD, BAD = "aaaaaaaaaa", "bbbbbbbbbb"

    def work(self, world: World) -> World:
        return world.look(healthy("db", recreated=True)).look(healthy("db", recreated=True), after=10)

    def fail(self, world: World) -> World:
        self.work(world).deploy()
        return world.look(failed("db", template=self.BAD, recreated=True, evidence="its words"))

    def test_the_status_names_the_working_and_the_failed_version(self, world):
        db = self.fail(world).service("db")
        assert (db.healthy_template, db.failed_template) == (self.GOOD, self.BAD)

    def test_a_rolled_back_service_keeps_its_verdict_whatever_runs(self, world):
        told = self.fail(world).told()
        world.look(pending("db", template=self.BAD, recreated=True), rolled_back=("db",), after=HOUR)
        db = world.service("db")
        assert (db.state, db.message, db.evidence) == (State.FAILED, NOT_FOUND, "its words")
        assert (world.told(), world.kstatus) == (told, "Failed")

    @pytest.mark.parametrize("request_id", ["", "again"])
    def test_a_new_request_tries_the_failed_version_again(self, world, request_id):
        self.fail(world).deploy(request=request_id)
        world.look(pending("db", template=self.BAD, recreated=True))
        assert world.service("db").failed_template is None
        world.look(failed("db", template=self.BAD, recreated=True))
        assert world.service("db").failed_template == self.BAD

    @pytest.mark.parametrize(
        "code",
        [
            "TagNotFound",
            "WrongPlatform",
            "InvalidImageName",
            "CommandNotFound",
            "ExecFormatError",
            "InterpreterNotFound",
            "ContainerExited",
            "OutOfMemory",
            "ProgramEnded",
            "HealthCheckTimeout",
        ],
    )
    def test_a_version_is_taken_back_for_its_own_faults(self, world, code):
        self.work(world).deploy()
        world.look(failed("db", code, template=self.BAD, recreated=True))
        assert world.service("db").failed_template == self.BAD

    @pytest.mark.parametrize(
        "code",
        [
            "RegistryUnavailable",
            "PullRateLimited",
            "ImagePullFailed",
            "PullTimeout",
            "NodeLost",
            "SandboxFailed",
            "VolumeNotFound",
            "VolumeNotMounted",
            "VolumeNotProvisioned",
            "ContainerConfigError",
            "SecretNotFound",
            "Unschedulable",
            "QuotaExceeded",
            "PodsRefused",
            "ReadinessGate",
            "InternalError",
        ],
    )
    def test_a_version_is_not_taken_back_for_a_fault_of_the_cluster(self, world, code):
        """The working version would meet it too, and the new one may be good."""
        self.work(world).deploy()
        world.look(failed("db", code, template=self.BAD, recreated=True))
        assert (world.service("db").state, world.service("db").failed_template) == (State.FAILED, None)

    def test_a_version_that_makes_no_progress_is_not_taken_back(self, world):
        """Nothing is known against it."""
        self.work(world).deploy()
        world.look(pending("db", template=self.BAD, recreated=True))
        world.look(pending("db", template=self.BAD, recreated=True), after=HOUR)
        assert (world.service("db").reason, world.service("db").failed_template) == ("Timeout", None)

    def test_a_first_version_is_not_rolled_back(self, world):
        assert world.look(failed("db", recreated=True)).service("db").failed_template is None

    def test_a_version_that_worked_before_it_failed_is_not_rolled_back(self, world):
        self.work(world).look(failed("db", "ContainerExited", recreated=True))
        assert world.service("db").failed_template is None

    def test_a_version_works_when_it_has_settled(self, world):
        self.work(world).deploy()
        bad = {"template": self.BAD, "recreated": True, "settle": 10}
        world.look(healthy("db", **bad), after=0)
        assert world.wake_at == world.now + timedelta(seconds=10)
        world.look(healthy("db", **bad), after=9)
        assert world.service("db").healthy_template == self.GOOD
        world.look(failed("db", "ContainerExited", **bad), after=1)
        assert world.service("db").failed_template == self.BAD

    def test_a_version_that_works_is_the_target_of_a_rollback(self, world):
        self.work(world).deploy()
        for after in (0, 10):
            world.look(healthy("db", template=self.BAD, recreated=True, settle=10), after=after)
        assert world.service("db").healthy_template == self.BAD
        assert world.wake_at is None

    def test_services_without_volumes_are_not_rolled_back(self, world):
        world.look(healthy("web")).deploy()
        assert world.look(failed("web", template=self.BAD)).service("web").failed_template is None


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


class TestSuperseded:
    def test_a_newer_generation_ends_it(self, world):
        world.look(starting("web"), failed("broken"))
        sent = [each.id for each in world.events() if each.name == "failed"]
        world.deploy()
        world.look(starting("web"), pending("broken", template="bbbbbbbbbb"))
        assert world.told("1") == [
            f"broken failed: {NOT_FOUND}", "* failed: superseded by generation 2", "done with errors",
        ]  # fmt: skip
        assert world.events("1")[0].id in sent

    def test_a_finished_rollout_keeps_its_end(self, world):
        world.look(healthy("web")).deploy()
        world.look(pending("web", template="bbbbbbbbbb"))
        assert world.told("1") == ["done good"]

    def test_a_rollout_that_never_started_is_superseded_too(self, world):
        world.deploy()
        world.look(healthy("web"))
        assert world.told("1") == ["* failed: superseded by generation 2", "done with errors"]

    def test_a_rollout_that_has_not_started_yet_has_no_events(self, world):
        world.look(healthy("web")).deploy()
        assert world.told() == []
        assert world.kstatus == "InProgress"

    def test_failures_in_the_history_keep_their_order(self, world):
        world.look(pending("a"), failed("b")).look(failed("a"), failed("b"))
        before = [each.id for each in world.events()]
        world.deploy()
        world.look(pending("a"), pending("b"))
        assert [each.id for each in world.events("1")] == before

    def test_history_is_bounded(self, world):
        for _ in range(HISTORY_KEPT + 3):
            world.look(failed("web")).deploy()
        world.look(healthy("web"))
        assert [each.id for each in world.status.history] == ["8", "7", "6", "5", "4"]


class TestVerdictsCanChange:
    def test_a_failure_before_the_end_can_recover(self, world):
        world.look(starting("web"), failed("broken"))
        world.look(starting("web"), healthy("broken"))
        assert world.kstatus == "InProgress"
        world.look(healthy("web"), healthy("broken"))
        assert world.told() == [
            "web scheduled node-1", f"broken failed: {NOT_FOUND}", "broken scheduled node-1", "broken healthy",
            "web healthy", "done good",
        ]  # fmt: skip
        assert world.kstatus == "Current"

    def test_after_the_end_the_resource_recovers_and_the_rollout_keeps_its_result(self, world):
        told = world.look(failed("web")).told()
        world.look(starting("web"), after=60)
        assert world.kstatus == "InProgress"
        world.look(healthy("web"))
        assert world.kstatus == "Current"
        assert world.told() == told

    def test_a_crash_after_healthy_in_the_same_rollout_is_reported(self, world):
        world.look(healthy("web"), starting("slow"))
        world.look(suspect("web", "ContainerExited"), starting("slow"))
        assert world.kstatus == "InProgress"
        world.look(failed("web", "ContainerExited", message="container exited with code 1"), healthy("slow"))
        assert world.told() == [
            "web scheduled node-1", "web healthy", "slow scheduled node-1",
            "web failed: container exited with code 1", "slow healthy", "done with errors",
        ]  # fmt: skip

    def test_a_service_that_was_never_healthy_stays_unready_while_its_cause_is_in_doubt(self, world):
        world.look(failed("web"))
        world.look(suspect("web", "ImagePullFailed"), after=60)
        assert world.condition("Ready").status == "False"
        assert world.kstatus == "InProgress"

    def test_a_failure_that_is_observed_again_is_not_reported_again(self, world):
        world.look(starting("slow"), failed("web"))
        world.look(starting("slow"), suspect("web", "ImagePullFailed"))
        world.look(starting("slow"), failed("web"))
        assert world.told().count(f"web failed: {NOT_FOUND}") == 1


class TestLostPod:
    """Drains and evictions after a good rollout."""

    @pytest.mark.parametrize("seen", [pending, starting, suspect])
    def test_ready_does_not_change_without_evidence(self, world, seen):
        told = world.look(healthy("web")).told()
        world.look(seen("web"), after=HOUR)
        assert (world.kstatus, world.service("web").state) == ("Current", State.SUSPECT)
        assert world.status.healthy == "0/1"
        world.look(healthy("web"))
        assert (world.kstatus, world.service("web").state) == ("Current", State.HEALTHY)
        assert world.told() == told

    def test_a_new_pod_that_fails_is_a_failure(self, world):
        world.look(healthy("web"))
        world.look(pending("web"), after=HOUR)
        world.look(failed("web"))
        assert (world.kstatus, world.condition("Ready").reason) == ("Failed", "TagNotFound")
        assert world.told()[-1] == "done good"


HOUR = 3600.0


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


class TestRefused:
    def test_a_refused_rollout_ends_at_once_and_pods_stay(self, world):
        world.look(healthy("web")).deploy()
        world.refuse_rollout("service.web: no such thing")
        assert world.told() == ["* failed: service.web: no such thing", "done with errors"]
        assert (world.kstatus, world.condition("Ready").reason) == ("Failed", "InvalidSpec")
        assert world.service("web").state is State.HEALTHY

    def test_a_refused_rollout_supersedes_another(self, world):
        world.look(starting("web")).deploy()
        world.refuse_rollout("no")
        assert world.told("1") == ["* failed: superseded by generation 2", "done with errors"]

    def test_the_next_accepted_one_keeps_unchanged_services(self, world):
        world.look(healthy("web")).deploy()
        world.refuse_rollout("no").deploy()
        assert world.look(healthy("web")).told() == ["done good"]
        assert world.told("2") == ["* failed: no", "done with errors"]
        assert world.kstatus == "Current"

    def test_an_operator_starts_a_rollout_that_an_older_one_refused(self, world):
        world.refuse_rollout("no")
        world.look(healthy("web"))
        assert world.told() == ["web scheduled node-1", "web healthy", "done good"]
        assert world.kstatus == "Current"


class TestWhatIsKept:
    def test_event_ids_increase_and_never_change(self, world):
        sent: list[str] = []
        for seen in (pending("web"), starting("web"), suspect("web"), starting("web"), healthy("web")):
            world.look(seen, starting("slow"))
            ids = [each.id for each in world.events(full=True)]
            assert ids[: len(sent)] == sent
            sent = ids
        assert [int(each.rpartition(".")[2]) for each in sent] == sorted(range(1, len(sent) + 1))

    def test_a_starting_service_carries_no_reason(self, world):
        world.look(starting("web", code="HealthCheckTimeout", message="health check timeout after 30s"))
        assert (world.service("web").reason, world.service("web").message) == (None, None)

    def test_a_healed_service_carries_no_reason(self, world):
        world.look(failed("web")).look(healthy("web"))
        assert (world.service("web").reason, world.service("web").evidence) == (None, None)

    def test_nodes_are_bounded(self, world):
        for number in range(limits.SCHEDULED_TRANSITIONS + 5):
            world.look(starting("web", node=f"node-{number}"))
        phases = [each.phase for each in world.service("web").transitions]
        assert phases.count(Phase.SCHEDULED) == limits.SCHEDULED_TRANSITIONS

    @pytest.mark.parametrize("states", [(starting, suspect), (healthy, failed), (failed, suspect)])
    def test_flapping_is_bounded(self, world, states):
        for _ in range(200):
            for state in states:
                world.look(state("web"), starting("slow"))
        assert len(world.service("web").transitions) <= 50

    def test_two_causes_that_alternate_are_bounded(self, world):
        for _ in range(200):
            world.look(failed("web", "OutOfMemory"), starting("slow"))
            world.look(failed("web", "ContainerExited"), starting("slow"))
        assert len(world.service("web").transitions) <= 50

    def test_the_evidence_of_all_services_is_bounded(self, world):
        world.look(*(failed(f"s{number}", evidence="x" * 5000) for number in range(200)))
        kept = [each.evidence or "" for each in world.status.services]
        assert sum(map(len, kept)) <= limits.TOTAL_EVIDENCE_LENGTH
        assert len(world.stored) < 320 * 1024
        assert max(map(len, kept)) == 2048

    def test_an_equal_observation_changes_nothing(self, world):
        for seen in (pending("web"), starting("web"), failed("web"), healthy("web")):
            stored = world.look(seen).stored
            assert world.look(seen, after=1).stored == stored


STATES = st.sampled_from([
    State.PENDING, State.PULLING, State.STARTING, State.SUSPECT, State.HEALTHY, State.FAILED,
])  # fmt: skip


@st.composite
def _observation(draw, service: str) -> Observation:
    state = draw(STATES)
    codes = ["TagNotFound", "PullDenied", "ContainerExited", "Unschedulable"]
    code = draw(st.sampled_from(codes)) if state in (State.SUSPECT, State.FAILED) else None
    node = draw(st.sampled_from(["node-1", "node-2"]))
    return see(service, state, code=code, node=node, message=f"it is {code}", template=draw(st.sampled_from("ab")))


LOOK = st.tuples(
    _observation("web"),
    st.none() | _observation("api"),
    st.sampled_from([0.0, 0.1, 700.0]),
    st.booleans(),
    st.sampled_from(["", "", "", "deploy", "request", "refuse"]),
)


@settings(deadline=None)
@given(st.lists(LOOK, max_size=12))
def test_the_promises_hold_for_all_observations(looks):
    """`done` comes at most once and last; sent events never change; kstatus' rules hold in every state."""
    world = World()
    sent: dict[str, list[Event]] = {}
    services: dict[str, bool] = {"1": True}
    for number, (web, api, after, still_there, action) in enumerate(looks):
        if action and number:
            world.deploy(request=f"r{number:02}" if action == "request" else "")
        with_api = services.setdefault(world.rollout, api is not None)
        if action == "refuse" and number:
            world.refuse_rollout("no")
        elif world.status.rollout is None or world.status.rollout.refused is None or world.rollout not in sent:
            seen = (web, api or pending("api")) if with_api else (web,)
            world.look(*seen, after=after, present={} if with_api or not still_there else {"api": LOST})
        now = world.events()
        before = sent.get(world.rollout, [])
        assert now[: len(before)] == before
        seqs = [each.seq for each in now]
        assert seqs == sorted(set(seqs))
        assert [each for each in now[:-1] if each.last] == []
        sent[world.rollout] = now
        read = world.kstatus
        if not now or not now[-1].last:
            assert read != "Current"
        for rollout, events in sent.items():
            if rollout != world.rollout:
                later = world.events(rollout)
                assert later[-1].last
                verdicts = [each for each in events if each.name != "progress"]
                if len(sent) <= HISTORY_KEPT:
                    assert [each for each in later if each in verdicts] == verdicts
