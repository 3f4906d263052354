"""Time in verdicts: grace periods, first observations, skewed clocks, and findings that are older than a request."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mill_api.service_status import Phase, Replicas, ServiceStatus, State, Transition
from mill_operator.core import timestamps
from mill_operator.core.observed.pods import ObservedPod, project_pod
from tests.support.recordings import (
    NO_PORT,
    TWO,
    WEB,
    at,
    before,
    body,
    changed,
    claim,
    look,
    node,
    offset,
    pod,
    remembered,
    said,
    waiting,
)

from . import event_texts as events

HOUR = 3600.0


class TestGrace:
    def test_a_known_cause_keeps_the_time_of_its_first_observation(self):
        seen = look(pod("denied"), at=20, previous=before("PullDenied", "image-denied"))
        assert offset(seen.finding.due) == 33
        assert look(pod("denied"), at=33, previous=before("PullDenied", "image-denied")).state is State.FAILED

    def test_another_rule_starts_its_own_timer(self):
        seen = look(pod("denied"), at=20, previous=before("SecretNotFound", "secret-missing"))
        assert offset(seen.finding.due) == 50

    def test_a_registry_that_fails_for_changing_causes_has_one_timer(self):
        previous = remembered(look(pod("rate-limited")))
        seen = look(pod("registry-500"), at=20, previous=previous)
        assert (seen.finding.rule.id, offset(seen.finding.due)) == ("image-registry", 123)

    @pytest.mark.parametrize("trouble", ["registry-500", "registry-down", "rate-limited"])
    def test_a_registry_that_is_away_for_45_seconds_is_asked_again_before_it_is_a_failure(self, trouble):
        """The kubelet has pulled after 10 and 20 seconds; its next attempt, after 40 more, is up to 45 seconds late."""
        status = None
        for second in (3, 5, 18, 48, 75, 112):
            seen = look(pod(trouble), at=second, previous=status)
            assert seen.state is State.SUSPECT
            status = remembered(seen)
        assert look(pod("ready"), at=114, previous=status).state is State.HEALTHY

    @pytest.mark.parametrize("lack", ["secret-missing", "secret-key-missing"])
    def test_a_secret_that_comes_ten_seconds_late_is_found_before_it_is_a_failure(self, lack):
        """The kubelet looks again 16 seconds later, starts the container, and reports that after seven more."""
        status = None
        for second in (3, 4, 19, 25):
            seen = look(pod(lack), at=second, previous=status)
            assert seen.state is State.SUSPECT
            status = remembered(seen)
        assert look(pod("ready"), at=26, previous=status).state is State.HEALTHY

    @pytest.mark.parametrize("flake", ["denied", "incomplete", "registry-500", "rate-limited", "secret-missing"])
    def test_a_flake_shorter_than_its_grace_period_is_no_failure(self, flake):
        status = None
        for second in range(3, 20):
            seen = look(pod(flake), at=second, previous=status)
            assert seen.state is State.SUSPECT
            status = remembered(seen)
        assert look(pod("ready"), at=20, previous=status).state is State.HEALTHY

    def test_timers_restart_when_one_more_replica_is_ready(self):
        previous = before("Unschedulable", "unschedulable", healthy=0)
        seen = look(pod("ready"), pod("unschedulable"), at=100, wanted=TWO, previous=previous)
        assert offset(seen.finding.due) == 220

    def test_surplus_ready_replicas_restart_no_timer(self):
        previous = before("QuotaExceeded", "pods-quota", healthy=2)
        three = replace(WEB, replicas=3)
        seen = look(pod("ready"), pod("ready"), at=10, wanted=three, previous=previous, refusal="exceeded quota: x")
        assert (seen.replicas.healthy, offset(seen.finding.since)) == (2, 3)

    def test_a_node_that_an_autoscaler_has_ordered_is_waited_for(self):
        previous = before("Unschedulable", "unschedulable")
        waits = look(pod("unschedulable"), at=123, previous=previous, answers=said(events.SCALE_UP))
        assert (waits.state, offset(waits.finding.due)) == (State.SUSPECT, 3 + 120 + 300)
        none_comes = look(pod("unschedulable"), at=123, previous=previous, answers=said(events.NO_SCALE_UP))
        assert none_comes.state is State.FAILED

    def test_a_busy_node_alone_is_never_a_failure(self):
        status = None
        for second in range(3, int(HOUR), 100):
            seen = look(pod("throttled"), at=second, previous=status)
            assert (seen.state, seen.finding.due) == (State.SUSPECT, None)
            status = remembered(seen)

    @pytest.mark.parametrize("failed", ["tag-missing", "denied"])
    def test_a_busy_node_does_not_replace_the_known_cause(self, failed):
        known = look(pod(failed))
        later = look(pod("throttled"), at=10, previous=remembered(known))
        assert later.finding.rule is known.finding.rule
        assert later.finding.message == known.finding.message
        assert later.finding.due == known.finding.due
        assert later.state is known.state

    def test_the_cause_of_another_image_is_not_remembered(self):
        known = remembered(look(pod("tag-missing")))
        known = known.model_copy(update={"image": "registry.example/web:0"})
        assert look(pod("throttled"), at=10, previous=known).state is State.SUSPECT

    def test_the_earliest_of_several_times_is_requeued(self):
        seen = look(pod("denied"), pod("unready"), at=10, wanted=TWO)
        assert seen.finding.rule.code == "PullDenied"
        assert offset(seen.wake_at) == 31

    def test_a_verdict_stands_as_long_as_its_evidence(self):
        """Between two crashes the pod shows only one of them; that is no reason to doubt."""
        failed = remembered(look(pod("crashed-twice")))
        assert failed.state is State.FAILED
        assert look(pod("crashed-once"), at=20, previous=failed).state is State.FAILED
        assert look(pod("pulling"), at=20, previous=failed).state is State.PULLING


class TestDenied:
    """Registries deny for a moment: a token that has just expired, a right that is just being given."""

    def test_attempts_that_are_denied_again_do_not_shorten_the_grace_period(self):
        """A node that has just started may get its own credentials for the registry only after some attempts."""
        first = look(pod("unauthorized"))
        assert offset(first.finding.due) == 33
        backing_off = waiting("ImagePullBackOff", f'Back-off pulling image "x": ErrImagePull: {first.finding.evidence}')
        second = look(backing_off, at=15, previous=remembered(first))
        assert (second.state, offset(second.finding.due)) == (State.SUSPECT, 33)
        third = look(pod("unauthorized"), at=26, previous=remembered(second))
        assert (third.state, offset(third.finding.due)) == (State.SUSPECT, 33)
        third = look(pod("unauthorized"), at=33, previous=remembered(third))
        assert third.state is State.FAILED
        # The verdict stands while the node waits for its next attempt.
        assert look(backing_off, at=35, previous=remembered(third)).state is State.FAILED

    def test_a_new_node_has_a_minute_to_get_its_credentials(self):
        assert offset(look(pod("unauthorized"), answers=node(since=-299)).finding.due) == 3 + 60
        assert offset(look(pod("unauthorized"), answers=node(since=-300)).finding.due) == 33


class TestCausesThatTakeTurns:
    """They share a timer: one of them is there all the time."""

    def test_a_signature_that_is_not_accepted_is_the_cause_of_the_back_off_too(self):
        text = "image pull failed for x because the signature validation failed: Source image rejected: no signature"
        attempt = waiting("SignatureValidationFailed", text)
        backing_off = waiting("ImagePullBackOff", f'Back-off pulling image "x": SignatureValidationFailed: {text}')
        status = None
        for second in range(3, 34):
            seen = look(attempt if second % 10 < 3 else backing_off, at=second, previous=status)
            assert (seen.finding.rule.code, offset(seen.finding.due)) == ("SignatureRejected", 33)
            status = remembered(seen)
        assert seen.state is State.FAILED

    def test_a_registry_that_has_failed_stays_failed_while_its_answers_change(self):
        failed = before("RegistryUnavailable", "image-registry", state=State.FAILED)
        seen = look(pod("rate-limited"), at=70, previous=failed)
        assert (seen.state, seen.finding.rule.code) == (State.FAILED, "PullRateLimited")

    def test_a_refusal_that_changes_its_place_has_one_timer(self):
        """With each attempt another part of the way to an image may refuse."""
        proxy = waiting("ErrImagePull", 'failed to do request: Head "https://registry.example/v2/": Forbidden')
        seen = look(pod("denied"), at=20, previous=remembered(look(proxy)))
        assert (seen.finding.rule.id, offset(seen.finding.due)) == ("image-denied", 33)


class TestBackOffWithoutCause:
    """Kubelets before 1.32 do not repeat the cause of a pull that failed."""

    BARE = waiting("ImagePullBackOff", 'Back-off pulling image "registry.example/web:1"')

    @pytest.mark.parametrize("failed", ["tag-missing", "denied", "platform", "incomplete"])
    def test_the_cause_of_the_failed_attempt_is_remembered(self, failed):
        known = look(pod(failed))
        later = look(self.BARE, at=20, previous=remembered(known))
        assert (later.finding.rule, later.finding.message) == (known.finding.rule, known.finding.message)
        assert later.state is known.state
        assert later.lookup_requests == frozenset()

    def test_without_the_attempt_the_pods_events_are_looked_up(self):
        assert [each.about for each in look(self.BARE).lookup_requests] == ["events"]
        told = look(self.BARE, answers=said(events.BACK_OFF, events.PULL_FAILED))
        assert (told.state, told.finding.message) == (State.FAILED, "image pull failed: tag not found")
        assert look(self.BARE, at=20, previous=remembered(told)).lookup_requests == frozenset()

    def test_an_event_that_names_no_cause_is_not_taken_for_one(self):
        told = look(self.BARE, answers=said(events.BACK_OFF, events.PULL_THROTTLED, events.PULL_FAILED))
        assert told.state is State.FAILED
        assert look(self.BARE, answers=said(events.PULL_THROTTLED)).state is State.SUSPECT

    def test_without_events_a_pull_that_fails_for_a_minute_is_a_failure(self):
        seen = look(self.BARE)
        assert (seen.state, seen.finding.rule.code, offset(seen.finding.due)) == (State.SUSPECT, "ImagePullFailed", 63)

    def test_an_injected_container_s_cause_is_asked_for_too(self):
        recorded = body("sidecar-image-missing")
        sidecar = recorded["status"]["containerStatuses"][0]
        image = sidecar["image"]
        sidecar["state"]["waiting"] = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
        about = ("Failed", f'Failed to pull image "{image}": {image}: not found')
        assert look(project_pod(recorded)).lookup_requests
        told = look(project_pod(recorded), answers=said(events.PULL_FAILED, about))
        assert told.finding.message == "container istio-proxy: image pull failed: tag not found"


class TestRuns:
    def test_a_container_that_crashed_once_and_then_hangs_has_its_budget_and_no_more(self):
        hanging = changed(pod("unready"), restarts=1, last_ended=pod("crashed-once").container.ended)
        assert look(hanging, at=10).state is State.SUSPECT
        assert offset(look(hanging, at=10).wake_at) == 31
        failed = look(hanging, at=31)
        assert (failed.state, failed.finding.rule.code) == (State.FAILED, "HealthCheckTimeout")

    def test_a_container_that_crashed_is_believed_after_ten_ready_seconds(self):
        again = changed(pod("ready"), restarts=1, last_ended=pod("crashed-once").container.ended)
        ready = offset(again.ready_at)
        early, late = look(again, at=ready + 9.9), look(again, at=ready + 10)
        assert (early.state, offset(early.wake_at)) == (State.SUSPECT, ready + 10)
        assert late.state is State.HEALTHY

    def test_a_crash_after_being_healthy_counts_like_any_other(self):
        healthy = remembered(look(pod("ready")))
        once = look(
            changed(pod("ready"), ready=False, ended=pod("crashed-once").container.ended), at=60, previous=healthy
        )
        assert (once.state, once.finding.rule.code) == (State.SUSPECT, "ContainerExited")
        assert look(pod("crashed-twice"), at=62, previous=remembered(once)).state is State.FAILED

    def test_a_container_that_never_started_has_no_start_time(self):
        """The kubelet writes 1970 where the runtime could not start the container."""
        started_now = changed(pod("unready"), last_ended=pod("command-missing").container.last_ended)
        assert offset(started_now.first_started) == 1

    def test_the_probes_message_is_the_evidence_of_a_slow_start(self):
        other = ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
        seen = look(pod("unready"), at=31, answers=said(events.UNHEALTHY, container="web"))
        assert seen.finding.evidence == events.UNHEALTHY[1]
        seen = look(pod("unready"), at=31, answers=said(other, container="istio-proxy"))
        assert seen.finding.evidence == "the container runs and does not become ready"

    def test_a_slow_start_within_its_own_budget_is_none(self):
        patient = replace(WEB, request=replace(WEB.request, budget=timedelta(seconds=90)))
        seen = look(pod("unready"), at=90.9, wanted=patient)
        assert (seen.state, seen.finding.message) == (State.STARTING, "health check timeout after 90s")
        assert look(pod("unready"), at=91, wanted=patient).state is State.FAILED

    def test_an_init_container_may_take_its_time(self):
        recorded = body("init-crashed-twice")
        recorded["status"]["initContainerStatuses"][0] |= {
            "state": {"running": {"startedAt": "2026-01-31T12:00:01Z"}},
            "lastState": {},
            "restartCount": 0,
        }
        assert look(project_pod(recorded), at=500).finding is None


class TestLostNode:
    def test_it_is_a_failure_six_minutes_after_the_node_fell_silent(self):
        silent = node("Unknown", since=50)
        assert look(pod("pulling"), at=409, answers=silent).state is State.SUSPECT
        failed = look(pod("pulling"), at=410, answers=silent)
        assert (failed.state, failed.finding.message) == (State.FAILED, "node node-1 does not answer")

    def test_a_later_pod_has_its_own_six_minutes(self):
        late = pod("pulling", bound_at=at(100), created=at(100))
        assert offset(look(late, at=130, answers=node("Unknown", since=50)).finding.due) == 460

    def test_a_pod_that_the_node_controller_marks_unready_has_no_failed_probe(self):
        """The node controller sets the pod's condition; the container's own state is older, and ready."""
        lost = pod("ready", ready=False, ready_at=None, unready_since=at(60))
        assert look(lost, at=500).finding is None
        assert [each.about for each in look(lost, at=61).lookup_requests] == ["node"]
        assert look(lost, at=500, answers=node("Unknown", since=60)).finding.rule.code == "NodeLost"


def ago(seen: float, phase: Phase = Phase.STARTING, state: State = State.STARTING) -> ServiceStatus:
    """Return a status with the time, by the operator's clock, at which a start was observed."""
    step = Transition(seq=1, at=timestamps.render(at(seen)), phase=phase)
    return ServiceStatus(name="web", state=state, transitions=[step], replicas=Replicas(desired=1, updated=1))


class TestClocks:
    """A start's time is the node's, and nodes' clocks differ from ours."""

    def started(self, second: float) -> ObservedPod:
        return pod("unready", running_since=at(second), unready_since=at(0))

    def test_a_clock_that_is_behind_does_not_end_a_start_at_once(self):
        """A pull took 40 s; by the node's clock the container has run for 30 s, and it is observed only now."""
        pulling = ServiceStatus(name="web", state=State.PULLING, replicas=Replicas(desired=1, updated=1))
        seen = look(self.started(10), at=40, previous=pulling)
        assert (seen.state, offset(seen.finding.due)) == (State.STARTING, 70)
        assert offset(look(self.started(10), at=41, previous=ago(40)).finding.due) == 70

    def test_a_clock_that_is_ahead_does_not_make_a_start_longer(self):
        seen = look(self.started(70), at=41, previous=ago(40))
        assert offset(seen.finding.due) == 70

    def test_clocks_that_agree_are_taken_as_they_are(self):
        assert offset(look(self.started(39), at=41, previous=ago(40)).finding.due) == 69

    def test_an_operator_that_was_away_gives_a_minute_more_at_most(self):
        pulling = ServiceStatus(name="web", state=State.PULLING, replicas=Replicas(desired=1, updated=1))
        assert offset(look(self.started(10), at=HOUR, previous=pulling).finding.due) == 10 + 60 + 30

    def test_each_pod_of_several_has_its_own_start(self):
        first, second = self.started(10), self.started(25)
        seen = look(first, second, at=60, wanted=TWO, previous=ago(40))
        assert offset(seen.finding.due) == 70
        assert offset(look(replace(first, ready=True, ready_at=at(50)), second, at=60, wanted=TWO).finding.due) == 55

    def test_lost_readiness_counts_from_its_observation(self):
        lost = pod("unready-after-an-hour", unready_since=at(HOUR - 30))
        healthy = remembered(look(pod("ready")))
        first = look(lost, at=HOUR, previous=healthy)
        assert offset(first.finding.due) == HOUR + 30
        suspect = remembered(replace(first, state=State.SUSPECT))  # what a finished rollout makes of it
        assert offset(look(lost, at=HOUR + 10, previous=suspect).finding.due) == HOUR + 30

    def test_ready_seconds_are_counted_by_the_api_server_s_clock(self):
        ahead = pod("ready-without-port", running_since=at(31), ready_at=at(31), status_updated_at=at(1))
        assert look(ahead, at=3, wanted=NO_PORT).state is State.HEALTHY


class TestRequestedAgain:
    """The same spec is requested again an hour later: earlier findings count no more."""

    @pytest.mark.parametrize("old", ["tag-missing", "crashed-twice", "crash-loop", "oom-twice", "init-image-missing"])
    def test_an_older_pod_has_no_finding_until_it_changes(self, old):
        seen = look(pod(old), at=HOUR + 1, requested_at=HOUR)
        assert seen.finding is None
        assert not seen.state.is_verdict

    def test_a_report_of_the_node_after_the_request_counts(self):
        told = pod("tag-missing", status_updated_at=at(HOUR + 1))
        assert look(told, at=HOUR + 1, requested_at=HOUR).state is State.FAILED

    def test_crashes_are_counted_from_the_request(self):
        old = pod("crashed-twice")
        crash = replace(old.container.ended, started_at=at(HOUR + 1), finished_at=at(HOUR + 2))
        once = changed(old, ended=crash, last_ended=old.container.ended, restarts=7, status_updated_at=at(HOUR + 2))
        assert look(once, at=HOUR + 3, requested_at=HOUR).state is State.SUSPECT
        twice = changed(once, last_ended=crash)
        assert look(twice, at=HOUR + 3, requested_at=HOUR).state is State.FAILED

    def test_a_start_in_progress_has_its_budget_from_the_request(self):
        seen = look(pod("unready"), at=HOUR + 1, requested_at=HOUR)
        assert (seen.state, offset(seen.finding.due)) == (State.STARTING, HOUR + 30)

    def test_a_node_that_was_lost_before_has_its_time_again(self):
        seen = look(pod("pulling"), at=HOUR + 1, requested_at=HOUR, answers=node("Unknown", since=50))
        assert offset(seen.finding.due) == HOUR + 360

    def test_an_unscheduled_pod_still_waits(self):
        seen = look(pod("unschedulable"), at=HOUR + 1, requested_at=HOUR)
        assert (seen.state, offset(seen.finding.due)) == (State.SUSPECT, HOUR + 121)
        seen = look(pod("volume-unbound"), at=HOUR + 1, requested_at=HOUR, claims=(claim(name="noclass-data"),))
        assert offset(seen.finding.due) == HOUR + 31

    @pytest.mark.parametrize("name", ["tag-missing", "crashed-twice", "init-crashed-twice"])
    def test_a_pod_of_this_request_counts_whatever_the_clocks_say(self, name):
        """Ours may be ahead of the API server's by some seconds."""
        assert look(pod(name), at=33, requested_at=30).state is State.FAILED
