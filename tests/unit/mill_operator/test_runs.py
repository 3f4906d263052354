"""Runs of tasks: sequences of their Jobs and recorded pods, and the status that follows."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from mill_api.task_status import RunState, TaskRun
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.tasks.run_rules import RUN_TABLE
from mill_operator.core.tasks.runs import observe_run, observe_run_without_job
from mill_operator.core.verdicts.rules import TABLE
from tests.support.recordings import CREATED, node, said
from tests.support.runs import GAVE_UP, at, ended, job, pod

from .event_texts import FAILED_CREATE

PENDING, RUNNING, SUCCEEDED, FAILED, STOPPED = RunState


PULLED = pod("pulling", sandbox_ready=True)
"""A pod with a network, whose node reports it before the image is there: kubelets do at different moments."""


class Story:
    """A run that is observed repeatedly; its status is stored as JSON in between."""

    def __init__(self) -> None:
        self.stored: str | None = None
        self.wake: float | None = None
        self.asks: set[tuple[str, str]] = set()

    def see(
        self, job: ObservedJob, pod: ObservedPod | None, seconds: float, answers: LookupResults = NO_RESULTS
    ) -> TaskRun:
        before = TaskRun.model_validate_json(self.stored) if self.stored else None
        seen = observe_run(job, pod, before, answers, CREATED + timedelta(seconds=seconds))
        self.asks = {(each.about, each.name) for each in seen.lookup_requests}
        self.stored = seen.run.model_dump_json(by_alias=True, exclude_none=True)
        self.wake = None if seen.wake_at is None else (seen.wake_at - CREATED).total_seconds()
        return seen.run


@dataclass(frozen=True)
class Row:
    pod: str
    state: RunState
    code: str | None = None
    message: str | None = None
    wake: float | None = None
    """Seconds after the pod's creation."""
    ended: bool = False


START = "container start failed: "
PULL = "image pull failed: "

# fmt: off
ROWS = [
    Row("pulling", PENDING, wake=5),
    Row("ready-without-port", RUNNING),
    Row("unready", RUNNING),
    Row("tag-missing", FAILED, "TagNotFound", PULL + "tag not found"),
    Row("tag-missing-backoff", FAILED, "TagNotFound", PULL + "tag not found"),
    Row("image-name", FAILED, "InvalidImageName", PULL + "invalid image name"),
    Row("denied", PENDING, "PullDenied", PULL + "access denied", wake=33),
    Row("registry-down", PENDING, "RegistryUnavailable", wake=123),
    Row("secret-missing", PENDING, "SecretNotFound", 'secret "db.url" not found', wake=33),
    Row("secret-key-missing", PENDING, "SecretNotFound", 'secret "db.url" not found', wake=33),
    Row("unschedulable", PENDING, "Unschedulable", "no nodes available: insufficient memory", wake=123),
    Row("command-missing", FAILED, "CommandNotFound", START + "command not found"),
    Row("exec-format", FAILED, "ExecFormatError", START + "not built for the platform of node node-1", ended=True),
    Row("crashed-once", FAILED, "ContainerExited", "container exited with code 3", ended=True),
    Row("oom-once", FAILED, "OutOfMemory", "out of memory (limit 256M)", ended=True),
    Row("evicted", FAILED, "Evicted", "evicted from node node-1: The node was low on resource: memory."),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.pod)
def test_a_pod_shows_a_failure_before_its_job(row):
    story = Story()
    run = story.see(job(), pod(row.pod), 3)
    assert (run.state, run.reason) == (row.state, row.code)
    assert row.message is None or run.message == row.message
    assert story.wake == row.wake
    assert (run.finished_at is not None) is row.ended
    assert run.started_at is None or run.state is not PENDING


def test_a_cause_has_its_detail_and_what_to_do_and_loses_them_with_it():
    story = Story()
    missing = story.see(job(), pod("tag-missing"), 3)
    assert missing.detail == f"image {job().image}"
    assert (missing.suggestion or "").startswith("Check the name and tag of the image")
    assert story.see(job(), pod("tag-missing-backoff"), 5).suggestion == missing.suggestion
    running = story.see(job(), pod("ready-without-port"), 60)
    assert (running.reason, running.detail, running.suggestion) == (None, None, None)


def test_what_to_do_about_a_crash_names_the_run():
    assert Story().see(job(), pod("crashed-once"), 3).suggestion == "Read all of its output: mill logs web-1"


def test_every_rule_of_services_applies_to_runs():
    assert {rule.id for rule in TABLE} < {rule.id for rule in RUN_TABLE}


class TestGoodEnds:
    def test_exit_code_0_is_success_before_the_job_is_complete(self):
        run = Story().see(job(), ended(0, "Completed"), 3)
        assert run == TaskRun(
            name="web-1",
            state=SUCCEEDED,
            node="node-1",
            created_at=at(0),
            started_at=at(1),
            finished_at=at(1),
            exit_code=0,
        )

    def test_a_complete_job_is_success_without_its_pod(self):
        run = Story().see(job(("Complete", "CompletionsReached", 2)), None, 3)
        assert (run.state, run.exit_code, run.finished_at) == (SUCCEEDED, 0, at(2))

    def test_a_running_injected_container_does_not_delay_success(self):
        story = Story()
        story.see(job(), ended(0, "Completed"), 3)
        late = story.see(job(("Failed", "DeadlineExceeded", 30)), ended(0, "Completed"), 31)
        assert (late.state, late.finished_at) == (SUCCEEDED, at(1))

    def test_a_pod_observed_later_has_the_start_time(self):
        story = Story()
        story.see(job(("SuccessCriteriaMet", "", 2)), None, 3)
        assert story.see(job(("Complete", "", 3)), ended(0, "Completed"), 4).started_at == at(1)

    def test_a_terminating_pod_may_still_succeed(self):
        story = Story()
        story.see(job(), pod("ready-without-port"), 3)
        going = story.see(job(), ended(0, "Completed", terminating=True), 5)
        assert (going.state, going.reason, going.finished_at) == (RUNNING, None, None)
        assert story.see(job(("SuccessCriteriaMet", "", 6)), None, 6).state is SUCCEEDED


class TestDeadlines:
    @pytest.mark.parametrize("code", [0, 143])
    def test_a_run_ended_by_its_deadline_has_timed_out_whatever_its_exit(self, code):
        story = Story()
        story.see(job(), pod("ready-without-port"), 3)
        going = story.see(job(), ended(code, terminating=True), 30.1)
        assert (going.state, going.finished_at) == (RUNNING, None)
        run = story.see(job(("FailureTarget", "DeadlineExceeded", 30)), ended(code, terminating=True), 30.2)
        assert (run.state, run.reason, run.message) == (FAILED, "DeadlineExceeded", "timed out after 30s")

    def test_a_timed_out_run_ends_with_its_program(self):
        story = Story()
        story.see(job(), pod("ready-without-port"), 3)
        going = pod("ready-without-port", terminating=True)
        assert story.see(job(("FailureTarget", "DeadlineExceeded", 30)), going, 30).finished_at is None
        over = (("FailureTarget", "DeadlineExceeded", 30), ("Failed", "DeadlineExceeded", 39))
        run = story.see(job(*over), None, 39)
        assert (run.state, run.message, run.finished_at) == (FAILED, "timed out after 30s", at(39))

    def test_a_timeout_names_the_known_cause(self):
        story = Story()
        story.see(job(), pod("tag-missing"), 3)
        story.see(job(), pod("tag-missing", terminating=True), 30)
        run = story.see(job(("Failed", "DeadlineExceeded", 30)), None, 31)
        assert (run.state, run.reason, run.finished_at) == (FAILED, "TagNotFound", at(30))

    def test_a_timeout_names_what_the_run_waited_for(self):
        story = Story()
        story.see(job(), pod("unschedulable"), 3)
        run = story.see(job(("Failed", "DeadlineExceeded", 30)), None, 31)
        assert run.message == "timed out after 30s: no nodes available: insufficient memory"

    def test_a_timeout_names_a_pull_that_was_not_long_enough_to_be_reported(self):
        story = Story()
        assert story.see(job(), PULLED, 3).message is None
        assert story.see(job(), replace(PULLED, terminating=True), 30).message is None
        run = story.see(job(("Failed", "DeadlineExceeded", 30)), None, 31)
        assert (run.reason, run.message) == (
            "DeadlineExceeded",
            "timed out after 30s: its image was still being pulled",
        )

    def test_a_timeout_does_not_name_the_pull_before_a_start(self):
        story = Story()
        story.see(job(), PULLED, 3)
        story.see(job(), pod("ready-without-port"), 10)
        assert story.see(job(("Failed", "DeadlineExceeded", 30)), None, 31).message == "timed out after 30s"

    def test_a_timeout_names_the_tasks_time_in_readable_form(self):
        run = Story().see(job(("Failed", "DeadlineExceeded", 5400), deadline=5400), None, 5401)
        assert run.message == "timed out after 1h30m"


class TestTime:
    @pytest.mark.parametrize(
        ("seconds", "message", "wake"),
        [(0, None, 300), (299, None, 300), (300, "pulling for 5m", 360), (361, "pulling for 6m", 420)],
    )
    def test_a_pull_is_reported_once_it_takes_longer_than_pulls_do(self, seconds, message, wake):
        story = Story()
        run = story.see(job(deadline=3600), PULLED, seconds)
        expected = (PENDING, message and "PullTimeout", message)
        assert (run.state, run.reason, run.message, story.wake) == (*expected, wake)
        assert (run.suggestion is None, run.detail is None) == (message is None, message is None)

    def test_a_pod_that_is_deleted_during_a_pull_is_gone(self):
        story = Story()
        story.see(job(), PULLED, 3)
        gave_up = job(("Failed", "BackoffLimitExceeded", 5))
        assert story.see(gave_up, None, 5).state is PENDING
        run = story.see(gave_up, None, 7)
        assert (run.state, run.message) == (FAILED, f"its pod is gone: {GAVE_UP}")

    def test_a_secret_that_comes_in_time_is_no_failure(self):
        story = Story()
        story.see(job(), pod("secret-missing"), 3)
        assert (story.see(job(), pod("secret-missing"), 32.9).state, story.wake) == (PENDING, 33)
        run = story.see(job(), pod("ready-without-port"), 32.9)
        assert (run.state, run.reason, run.since) == (RUNNING, None, None)

    def test_a_secret_that_does_not_come_in_time_is_a_failure(self):
        story = Story()
        story.see(job(), pod("secret-missing"), 3)
        run = story.see(job(), pod("secret-missing"), 33)
        assert (run.state, run.reason, run.since, run.finished_at) == (FAILED, "SecretNotFound", at(3), None)
        assert story.see(job(), pod("ready-without-port"), 40).state is RUNNING

    def test_a_node_that_only_tries_again_does_not_change_the_cause(self):
        story = Story()
        story.see(job(), pod("tag-missing"), 3)
        assert story.see(job(), pod("throttled"), 10).reason == "TagNotFound"

    def test_a_run_recovers_when_the_tag_appears(self):
        story = Story()
        story.see(job(), pod("tag-missing"), 3)
        assert story.see(job(), pod("ready-without-port"), 20).state is RUNNING
        assert story.see(job(), ended(0, "Completed"), 25).state is SUCCEEDED

    def test_an_end_is_final(self):
        story = Story()
        first = story.see(job(), ended(3), 3)
        assert story.see(job(("Failed", "BackoffLimitExceeded", 4)), None, 60) == first
        assert story.wake is None

    def test_another_job_of_the_name_is_another_run(self):
        story = Story()
        story.see(job(), ended(3), 3)
        again = job(creationTimestamp="2026-01-31T12:05:00Z")
        assert story.see(again, None, 301) == TaskRun(name="web-1", created_at=at(300))


class TestEndedByOthers:
    def test_a_node_that_is_drained_ends_a_run(self):
        words = "Eviction API: evicting"
        story = Story()
        story.see(job(), pod("ready-without-port"), 3)
        going = pod("ready-without-port", terminating=True, eviction_message=words)
        assert story.see(job(), going, 5).state is RUNNING
        # Its pod may be gone before its Job says anything.
        assert story.see(job(), None, 15).state is RUNNING
        run = story.see(job(("FailureTarget", "BackoffLimitExceeded", 15)), None, 15)
        assert (run.state, run.reason, run.message) == (FAILED, "Evicted", f"evicted from node node-1: {words}")

    def test_a_lost_node_fails_a_run_after_six_minutes_and_may_return(self):
        silent = pod("ready-without-port", ready=False)
        story = Story()
        story.see(job(deadline=3600), pod("ready-without-port"), 3)
        assert story.see(job(), silent, 60).state is RUNNING
        assert ("node", "node-1") in story.asks
        waiting = story.see(job(), silent, 60, node("Unknown", since=50))
        assert (waiting.state, waiting.reason, story.wake) == (RUNNING, "NodeLost", 410)
        run = story.see(job(), silent, 410, node("Unknown", since=50))
        assert (run.state, run.reason, run.message) == (FAILED, "NodeLost", "node node-1 does not answer")
        assert story.see(job(), pod("ready-without-port"), 420).state is RUNNING

    def test_a_lost_node_is_the_cause_though_its_pod_is_evicted_in_the_end(self):
        lost = pod("ready-without-port", ready=False, terminating=True, eviction_message="Taint manager: deleting")
        story = Story()
        story.see(job(deadline=3600), pod("ready-without-port"), 3)
        assert story.see(job(), lost, 410, node("Unknown", since=50)).reason == "NodeLost"
        gone = story.see(job(("Failed", "DeadlineExceeded", 3600)), None, 3600)
        assert (gone.reason, gone.finished_at) == ("NodeLost", at(3600))

    def test_a_deleted_pod_ends_with_the_exit_code_of_its_signal(self):
        story = Story()
        story.see(job(), pod("ready-without-port"), 3)
        assert story.see(job(), ended(143, terminating=True), 5).state is RUNNING
        run = story.see(job(("FailureTarget", "BackoffLimitExceeded", 5)), None, 5)
        assert (run.state, run.message) == (FAILED, "container exited with code 143 (SIGTERM)")

    def test_a_job_s_failure_waits_a_moment_for_the_pod_that_explains_it(self):
        story = Story()
        story.see(job(), pod("ready-without-port"), 3)
        gave_up = job(("FailureTarget", "BackoffLimitExceeded", 5))
        assert (story.see(gave_up, pod("ready-without-port"), 5).state, story.wake) == (RUNNING, 7)
        assert story.see(gave_up, ended(3), 5.1).message == "container exited with code 3"

    def test_an_unexplained_failure_is_a_failure(self):
        story = Story()
        gave_up = job(("Failed", "BackoffLimitExceeded", 5))
        assert story.see(gave_up, None, 5).state is PENDING
        run = story.see(gave_up, None, 7)
        assert (run.state, run.reason, run.message) == (FAILED, "RunFailed", f"its pod is gone: {GAVE_UP}")
        assert run.finished_at == at(5)


class TestWithoutAPod:
    def test_events_are_looked_up_of_a_job_that_cannot_create_its_pod(self):
        story = Story()
        assert (story.see(job(), None, 4.9).state, story.wake, story.asks) == (PENDING, 5, set())
        assert (story.see(job(), None, 5).state, story.wake, story.asks) == (PENDING, 10, {("events", "web-1-uid")})
        quota = said(FAILED_CREATE, uid="web-1-uid")
        waiting = story.see(job(), None, 5, quota)
        assert (waiting.state, waiting.reason) == (PENDING, "QuotaExceeded")
        run = story.see(job(), None, 65, quota)
        assert (run.state, run.finished_at) == (FAILED, None)
        assert run.message.startswith("quota exceeded: small, requested: limits.memory=256M")

    def test_a_run_recovers_when_its_pod_can_be_created(self):
        story = Story()
        story.see(job(), None, 65, said(FAILED_CREATE, uid="web-1-uid"))
        assert story.see(job(), pod("ready-without-port"), 70).state is RUNNING


class TestInjectedContainers:
    def test_a_failed_injected_container_fails_a_run_that_has_not_started(self):
        run = Story().see(job(), pod("init-crashed-twice"), 3)
        assert (run.state, run.reason) == (FAILED, "ContainerExited")
        assert run.message.startswith("container ")

    def test_a_failed_injected_container_does_not_fail_a_running_program(self):
        sidecar = pod("sidecar-image-missing")
        assert sidecar.container.running_since is not None
        assert Story().see(job(), sidecar, 3).state is RUNNING


class TestLostNodes:
    @pytest.mark.parametrize(
        "over", [job(), job(("FailureTarget", "DeadlineExceeded", 10))], ids=["evicted", "its time is up"]
    )
    def test_a_failed_run_has_ended_when_its_pod_should_have_ended_long_ago(self, over):
        """Its Job reports no end before the pod is gone, which the node of a lost one never says."""
        story, lost = Story(), pod("ready-without-port", terminating=True, stops_at=CREATED + timedelta(seconds=40))
        failed = TaskRun(name="web-1", state=FAILED, created_at=at(0), started_at=at(1), message="lost", node="node-1")
        story.stored = failed.model_dump_json(by_alias=True)
        assert story.see(over, lost, 399).finished_at is None
        assert story.wake == 400
        ended = story.see(over, lost, 400)
        assert (ended.state, ended.message, ended.finished_at) == (FAILED, "lost", at(400))


class TestWithoutAJob:
    RUN = TaskRun(name="web-1", state=RUNNING, node="node-1", created_at=at(0), started_at=at(1))

    def stop(self, run: TaskRun, pod: ObservedPod | None = None, seconds: float = 10.0) -> TaskRun | None:
        seen = observe_run_without_job(run, pod, CREATED + timedelta(seconds=seconds))
        return seen.run if seen else None

    def test_a_run_whose_job_was_deleted_is_stopped_once_its_pod_is_gone(self):
        assert self.stop(self.RUN, pod("ready-without-port", terminating=True)) == self.RUN
        stopped = self.stop(self.RUN)
        assert stopped == self.RUN.model_copy(update={"state": STOPPED, "finished_at": at(10)})
        assert self.stop(stopped, seconds=20) == stopped

    def test_a_pod_that_ends_or_should_have_ended_long_ago_keeps_no_run_in_progress(self):
        lost = pod("ready-without-port", terminating=True, stops_at=CREATED + timedelta(seconds=40))
        seen = observe_run_without_job(self.RUN, lost, CREATED + timedelta(seconds=399))
        assert (seen.run, seen.wake_at) == (self.RUN, CREATED + timedelta(seconds=400))
        assert self.stop(self.RUN, lost, seconds=400).state is STOPPED
        assert self.stop(self.RUN, pod("crashed-once")).state is STOPPED

    def test_a_run_without_a_job_is_reported_for_a_day(self):
        stopped = self.stop(self.RUN)
        day = timedelta(days=1).total_seconds()
        assert self.stop(stopped, seconds=day + 9) == stopped
        assert self.stop(stopped, seconds=day + 10) is None

    def test_a_run_without_a_job_keeps_its_failure(self):
        failed = self.RUN.model_copy(update={"state": FAILED, "reason": "TagNotFound", "message": "no tag"})
        stopped = self.stop(failed)
        assert (stopped.state, stopped.reason, stopped.message) == (STOPPED, "TagNotFound", "no tag")

    @pytest.mark.parametrize("state", [SUCCEEDED, FAILED])
    def test_a_finished_run_goes_with_its_job(self, state):
        assert self.stop(self.RUN.model_copy(update={"state": state, "finished_at": at(5)})) is None
