"""Sequences of observations, and the events and conditions that follow from them."""

import pytest

from mill_api.service_status import Phase, State
from mill_api.status import HISTORY_KEPT
from mill_operator.core import limits
from tests.support.rollouts import HOUR, NOT_FOUND, failed, healthy, pending, see, starting, suspect


def _sse(event: str, data: str, seq: str) -> bytes:
    return f"event: {event}\r\ndata: {data}\r\nid: 01234567.1.{seq}\r\n\r\n".encode()


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
