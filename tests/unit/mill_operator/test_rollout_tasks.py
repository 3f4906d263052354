"""Tasks in rollouts: when runs start, what they hold back, and what is known after any end of the operator."""

from dataclasses import replace
from typing import Any, Final

import pytest

from mill_api.dependencies import Dependencies
from mill_api.rollout_tasks import VERSIONS_KEPT, RolloutTask, RolloutTaskState
from mill_api.task_status import RunState, TaskRun
from mill_operator.core import timestamps
from mill_operator.core.limits import RUN_MESSAGE_LENGTH
from mill_operator.core.observed.jobs import Failure, ObservedJob
from mill_operator.core.rollout_tasks.advance import (
    Known,
    advance,
    failed_to_start,
    observe,
    run_name,
    to_create,
    to_delete,
)
from mill_operator.core.rollout_tasks.desired import DesiredRolloutTask, desired_rollout_tasks
from mill_operator.core.rollout_tasks.holds import Hold, holds
from mill_operator.core.rollout_tasks.outcome import NO_TASKS, AwaitedTasks, awaited_tasks
from mill_operator.core.verdicts.dependence import Dependence
from mill_operator.core.verdicts.patience import blocked
from tests.support import runs
from tests.support.recordings import at

MIGRATE: Final = DesiredRolloutTask("migrate", "v1", before=("web",))
WARM: Final = DesiredRolloutTask("warm", "w1", after=("web",))
NOW: Final = at(10)
RUN: Final = run_name("migrate", "v1", "1", "")
BEGINS: Final = Known("1", in_progress=True)
WAITING, RUNNING, SUCCEEDED, FAILED = RolloutTaskState


def state(of: RolloutTaskState = RUNNING, **changes: Any) -> RolloutTask:
    known = {"name": "migrate", "version": "v1", "rollout": "1", "run": RUN, "started_at": timestamps.render(at(1))}
    return RolloutTask(**{**known, "state": of, **changes})


def job(**changes: Any) -> ObservedJob:
    made = runs.job()
    return replace(made, key=made.key._replace(name=RUN), uid="job-uid", task="migrate", **changes)


def run(of: RunState, **changes: Any) -> TaskRun:
    return TaskRun(name=RUN, state=of, created_at=timestamps.render(at(1)), **changes)


def known(made: ObservedJob | None = None, reported: TaskRun | None = None, **changes: Any) -> Known:
    jobs, reports = {RUN: made} if made else {}, {RUN: reported} if reported else {}
    return replace(BEGINS, jobs=jobs, runs=reports, **changes)


def next_of(before: RolloutTask | None, given: Known, task: DesiredRolloutTask = MIGRATE) -> RolloutTask:
    (after,) = advance([task], [] if before is None else [before], given, NOW)
    return after


class TestStart:
    def test_a_run_starts_for_a_version_that_has_none(self) -> None:
        begun = next_of(None, BEGINS)
        assert (begun.state, begun.version, begun.run, begun.uid) == (RUNNING, "v1", RUN, None)
        assert to_create([begun], {}) == [begun]

    def test_no_run_starts_without_a_rollout_in_progress(self) -> None:
        idle = replace(BEGINS, in_progress=False)
        assert next_of(None, idle).state is WAITING
        assert next_of(state(FAILED), idle) == state(FAILED)
        assert next_of(state(SUCCEEDED, version="v0", succeeded=["v0"]), idle).version == "v0"

    def test_a_version_that_has_succeeded_never_runs_again(self) -> None:
        before = state(SUCCEEDED, version="v2", succeeded=["v2", "v1"])
        after = next_of(before, replace(BEGINS, rollout_id="3"))
        assert (after.state, after.version, after.run, after.succeeded) == (SUCCEEDED, "v1", None, ["v2", "v1"])
        assert to_create([after], {}) == []
        assert next_of(after, replace(BEGINS, rollout_id="4")) == after, "no write without a change"

    def test_a_failed_version_runs_again_in_another_rollout_alone(self) -> None:
        before = state(FAILED, uid="job-uid", message="exited")
        assert next_of(before, BEGINS) == before
        again = next_of(before, replace(BEGINS, rollout_id="2"))
        assert (again.state, again.uid, again.message) == (RUNNING, None, None)
        assert again.run == run_name("migrate", "v1", "2", "") != RUN

    def test_it_waits_for_the_services_that_it_names(self) -> None:
        task = replace(MIGRATE, needs=("db", "queue"))
        waits = next_of(None, replace(BEGINS, serving={"queue"}), task)
        assert (waits.state, waits.message, waits.run) == (WAITING, "waiting for db", None)
        assert next_of(waits, replace(BEGINS, serving={"db", "queue"}), task).state is RUNNING

    def test_it_does_not_wait_for_a_service_that_has_failed(self) -> None:
        task = replace(MIGRATE, needs=("db",))
        after = next_of(None, replace(BEGINS, failed={"db": "tag not found"}), task)
        assert (after.state, after.message) == (FAILED, "not run: db has failed: tag not found")
        assert next_of(None, replace(BEGINS, failed={"db": "one pod"}, serving={"db"}), task).state is RUNNING

    def test_it_waits_again_when_the_failed_service_is_well_before_the_rollout_ends(self) -> None:
        """A service that needed longer than its time limit, while others are still starting."""
        broken = replace(BEGINS, failed={"web": "health check timeout"})
        failed = next_of(None, broken, WARM)
        assert next_of(failed, broken, WARM) == failed, "no write without a change"
        assert next_of(failed, BEGINS, WARM).message == "waiting for web"
        assert next_of(failed, replace(BEGINS, settled={"web"}), WARM).state is RUNNING
        assert next_of(failed, replace(BEGINS, in_progress=False), WARM) == failed

    def test_it_waits_for_the_run_of_a_task_that_has_left_the_file(self) -> None:
        """It may have another name now: two migrations of one database must not run at once."""
        renamed = replace(MIGRATE, name="db-migrate")
        after, left = advance([renamed], [state(uid="job-uid")], known(job()), NOW)
        assert (after.state, after.message, left.state) == (WAITING, f"waiting for run {RUN}", RUNNING)
        after, left = advance([renamed], [after, left], known(job(succeeded=True)), NOW)
        assert (after.state, left.state) == (RUNNING, SUCCEEDED)
        ending = known(job(failure=Failure("DeadlineExceeded", "")), run(RunState.FAILED))
        after, _ = advance([renamed], [state(FAILED, uid="job-uid")], ending, NOW)
        assert after.state is WAITING, "its program has time to end"
        warm, _ = advance([replace(WARM, name="w")], [state(uid="job-uid")], known(job(), settled={"web"}), NOW)
        assert warm.state is RUNNING, "what follows success holds no service back"

    def test_what_waits_when_its_rollout_fails_does_not_run(self) -> None:
        waits = next_of(None, BEGINS, WARM)
        over = replace(BEGINS, in_progress=False)
        for failed, cause in (({"web": "exited"}, "web has failed: exited"), ({"x": "no"}, "the rollout has failed")):
            after = next_of(waits, replace(over, failed=failed), WARM)
            assert (after.state, after.message) == (FAILED, f"not run: {cause}")
        assert next_of(waits, replace(over, rollout_id="2"), WARM) == waits, "it may run in that one"

    def test_what_follows_success_waits_for_it(self) -> None:
        assert next_of(None, BEGINS, WARM).message == "waiting for web"
        assert next_of(None, replace(BEGINS, settled={"web"}), WARM).state is RUNNING
        assert next_of(None, replace(BEGINS, failed={"web": "no"}, serving={"web"}), WARM).state is FAILED


class TestRuns:
    def test_its_job_is_known_by_its_uid(self) -> None:
        after = next_of(state(), known(job()))
        assert (after.state, after.uid) == (RUNNING, "job-uid")
        assert to_create([state()], {RUN: job()}) == []
        assert to_create([after], {}) == [], "a Job that was deleted is not created again"

    @pytest.mark.parametrize(
        ("made", "reported"),
        [
            (job(), run(RunState.SUCCEEDED)),
            (job(succeeded=True), None),
            (None, run(RunState.SUCCEEDED)),
        ],
    )
    def test_success_is_kept_also_of_a_job_that_is_gone(
        self, made: ObservedJob | None, reported: TaskRun | None
    ) -> None:
        after = next_of(state(uid="job-uid", succeeded=["v0"]), known(made, reported))
        assert (after.state, after.succeeded) == (SUCCEEDED, ["v1", "v0"])

    def test_a_failure_has_its_cause(self) -> None:
        why = {"reason": "ContainerExited", "message": "container exited with code 3", "detail": "last log line: no"}
        after = next_of(state(uid="job-uid"), known(job(), run(RunState.FAILED, **why)))
        assert after.state is FAILED
        assert (after.reason, after.message, after.detail) == tuple(why.values())
        after = next_of(state(), known(job(failure=Failure("DeadlineExceeded", "too long"))))
        assert (after.state, after.message) == (FAILED, "too long")

    def test_a_job_that_was_deleted_or_replaced_has_failed(self) -> None:
        before = state(uid="job-uid")
        for given in (known(), known(replace(job(), uid="other")), known(None, run(RunState.STOPPED))):
            after = next_of(before, given)
            assert (after.state, after.message) == (FAILED, "its run was stopped before it ended")

    def test_a_run_that_is_being_stopped_is_in_progress(self) -> None:
        """Its program has time to end: another run beside it could do harm."""
        before = state(uid="job-uid")
        for reported in (run(RunState.RUNNING), run(RunState.PENDING)):
            assert next_of(before, known(None, reported)) == before
            assert next_of(before, known(None, reported, rollout_id="2"), replace(MIGRATE, version="v2")) == before
            assert next_of(before, known(replace(job(), uid="other"), reported)).state is FAILED

    def test_a_newer_version_waits_for_the_run_in_progress(self) -> None:
        newer = replace(MIGRATE, version="v2")
        assert next_of(state(uid="job-uid"), known(job(), rollout_id="2"), newer).version == "v1"
        after = next_of(state(uid="job-uid"), known(job(succeeded=True), rollout_id="2"), newer)
        assert (after.state, after.version, after.succeeded) == (RUNNING, "v2", ["v1"])
        ended = run(RunState.FAILED, finished_at=timestamps.render(at(3)))
        finished = job(failure=Failure("", ""), finished_at=at(3))
        for given in (known(job(), ended), known(finished, run(RunState.FAILED))):
            after = next_of(state(uid="job-uid"), replace(given, rollout_id="2"), newer)
            assert (after.state, after.version, after.succeeded) == (RUNNING, "v2", [])

    def test_the_next_run_waits_until_a_program_whose_time_is_up_has_ended(self) -> None:
        """The Job reports `FailureTarget` while its pod is still ending."""
        newer, up = replace(MIGRATE, version="v2"), job(failure=Failure("DeadlineExceeded", "too long"))
        given = known(up, run(RunState.FAILED, started_at=timestamps.render(at(1))), rollout_id="2")
        failed = next_of(state(uid="job-uid"), given, newer)
        assert (failed.state, failed.version) == (FAILED, "v1")
        assert to_delete([failed], given.jobs, given.runs) == []
        after = next_of(failed, replace(given, jobs={RUN: replace(up, finished_at=at(9))}), newer)
        assert (after.state, after.version) == (RUNNING, "v2")

    @pytest.mark.parametrize("newer", [MIGRATE, replace(MIGRATE, version="v2"), replace(MIGRATE, version="v0")])
    def test_no_version_forgets_a_job_that_has_failed_and_may_yet_run(self, newer: DesiredRolloutTask) -> None:
        """Its image was missing. The operator ended before it deleted the Job, or deployments were paused."""
        failed = state(FAILED, uid="job-uid", succeeded=["v0"])
        given = known(job(), run(RunState.FAILED), rollout_id="2")
        assert next_of(failed, given, newer) == failed
        assert advance([], [state(FAILED, uid="job-uid")], given, NOW) == [state(FAILED, uid="job-uid")]
        assert to_delete([failed], given.jobs, given.runs) == [job()]
        after = next_of(failed, known(replace(job(), terminating=True), run(RunState.FAILED), rollout_id="2"), newer)
        assert (after.state, after.version) == (SUCCEEDED if newer.version == "v0" else RUNNING, newer.version)

    def test_a_job_that_cannot_start_is_deleted_and_one_that_may_run_is_not(self) -> None:
        failed, made = state(FAILED, uid="job-uid"), job()
        reports = {RUN: run(RunState.FAILED)}
        assert to_delete([failed], {RUN: made}, reports) == [made]
        assert to_delete([state(uid="job-uid")], {RUN: made}, reports) == []
        assert to_delete([failed], {RUN: replace(made, uid="other")}, reports) == []
        assert to_delete([failed], {RUN: replace(made, failure=Failure("", ""))}, reports) == []
        started = {RUN: run(RunState.FAILED, started_at=timestamps.render(at(2)))}
        assert to_delete([failed], {RUN: made}, started) == []

    def test_a_job_that_is_refused_is_a_failure(self) -> None:
        (after,) = failed_to_start([state()], {"migrate": "exceeded quota"}, NOW)
        assert (after.state, after.message) == (FAILED, "its run was not created: exceeded quota")
        assert failed_to_start([state(SUCCEEDED)], {"migrate": "no"}, NOW) == [state(SUCCEEDED)]


class TestWithoutAdvance:
    def test_what_becomes_of_a_run_is_noted_while_none_starts(self) -> None:
        waits = state(WAITING, name="warm", run=None)
        done, still = observe([state(uid="job-uid"), waits], known(job(succeeded=True)), NOW)
        assert (done.state, done.succeeded) == (SUCCEEDED, ["v1"])
        assert still == waits

    def test_a_run_that_cannot_start_may_still_do_so(self) -> None:
        """Its Job is not deleted then: that it has succeeded after all must count."""
        before = state(uid="job-uid")
        for known_before in (before, state()):
            assert observe([known_before], known(job(), run(RunState.FAILED)), NOW) == [before]
        (done,) = observe([before], known(job(succeeded=True)), NOW)
        assert done.succeeded == ["v1"]
        has_ended = run(RunState.FAILED, finished_at=timestamps.render(at(3)))
        finished = job(failure=Failure("", "no"), finished_at=at(3))
        for given in (known(finished, run(RunState.FAILED)), known(job(), has_ended)):
            (ended,) = observe([before], given, NOW)
            assert ended.state is FAILED
        failed = state(FAILED, uid="job-uid")
        assert observe([failed], known(job(), run(RunState.FAILED)), NOW) == [failed]


class TestBounds:
    def test_texts_of_others_are_cut(self) -> None:
        long = "no\n" * 500
        (refused,) = failed_to_start([state()], {"migrate": long}, NOW)
        after = next_of(None, replace(BEGINS, failed={"db": long}), replace(MIGRATE, needs=("db",)))
        failed = next_of(state(), known(job(failure=Failure("PodFailurePolicy", long))))
        for each in (refused, after, failed):
            assert each.message is not None
            assert len(each.message) <= RUN_MESSAGE_LENGTH
            assert "\n" not in each.message

    def test_versions_are_bounded(self) -> None:
        before = state(uid="job-uid", succeeded=[f"o{index}" for index in range(VERSIONS_KEPT)])
        after = next_of(before, known(job(succeeded=True)))
        assert len(after.succeeded) == VERSIONS_KEPT
        assert after.succeeded[0] == "v1"

    def test_a_task_that_left_the_file_is_remembered_while_that_matters(self) -> None:
        gone = state(SUCCEEDED, name="old", succeeded=["v1"])
        running = state(RUNNING, name="older", uid="job-uid")
        failed = state(FAILED, name="oldest")
        after = advance([], [gone, running, failed], replace(BEGINS, jobs={RUN: job()}), NOW)
        assert [each.name for each in after] == ["old", "older"]
        assert advance([MIGRATE], [state(SUCCEEDED, succeeded=["v1"])], BEGINS, NOW)[0].succeeded == ["v1"]

    def test_the_name_of_a_run_fits_a_job_and_differs_by_version_rollout_and_owner(self) -> None:
        owners = ("uid", "uid of its successor")
        names = {run_name("m" * 52, each, rollout, uid) for each in "ab" for rollout in "12" for uid in owners}
        assert len(names) == 8
        assert all(len(name) <= 63 for name in names)


class TestHolds:
    def test_services_wait_until_the_success_of_their_version_is_written(self) -> None:
        assert holds([MIGRATE], [], "1") == {"web": Hold(("migrate",))}
        assert holds([MIGRATE], [state()], "1") == {"web": Hold(("migrate",))}
        assert holds([MIGRATE], [state(SUCCEEDED, version="v0", succeeded=["v0"])], "1") == {"web": Hold(("migrate",))}
        assert holds([MIGRATE], [state(RUNNING, version="v0", succeeded=["v1"])], "1") == {}

    def test_a_failure_counts_in_its_own_rollout(self) -> None:
        failed = state(FAILED)
        assert holds([MIGRATE], [failed], "1") == {"web": Hold(("migrate",), failed)}
        assert holds([MIGRATE], [failed], "2") == {"web": Hold(("migrate",))}
        assert holds([replace(MIGRATE, version="v2")], [failed], "1") == {"web": Hold(("migrate",))}

    def test_a_service_that_has_not_begun_has_nothing_to_put_back(self) -> None:
        finding = blocked("web", Dependence(hold=Hold(("migrate",), state(FAILED, message="exited"))), NOW)
        assert (finding.due, finding.is_own_fault) == (NOW, False)
        assert finding.message == "not begun: task migrate has failed: exited"

    def test_what_follows_success_holds_nothing(self) -> None:
        assert holds([WARM], [], "1") == {}


class TestOutcome:
    def test_a_rollout_waits_for_what_follows_its_services(self) -> None:
        assert awaited_tasks([MIGRATE], [], "1") == NO_TASKS
        assert awaited_tasks([WARM], [], "1") == AwaitedTasks(has_pending=True)
        done = RolloutTask(name="warm", version="w0", state=SUCCEEDED, succeeded=["w1"])
        assert awaited_tasks([WARM], [done], "1") == NO_TASKS

    def test_its_failure_is_that_of_its_own_rollout(self) -> None:
        failed = RolloutTask(name="warm", version="w1", state=FAILED, rollout="1", run="warm-1", message="exited")
        assert awaited_tasks([WARM], [failed], "1").failure == "task warm has failed: exited"
        assert awaited_tasks([WARM], [failed], "2") == AwaitedTasks(has_pending=True)

    def test_what_has_not_run_is_no_failure_of_its_own(self) -> None:
        """A service that has failed is one; if it settles in the same moment as it is well again, the task runs yet."""
        not_run = RolloutTask(name="warm", version="w1", state=FAILED, rollout="1", message="not run: web has failed")
        assert awaited_tasks([WARM], [not_run], "1") == AwaitedTasks(has_pending=True)


class TestDesired:
    SERVICES: Final = {name: {"name": name, "image": f"{name}:1"} for name in ("db", "web", "worker", "last")}

    def test_what_a_task_needs_is_what_it_does_not_hold_back(self) -> None:
        task = {"name": "migrate", "image": "web:1", "before": ["web", "gone"]}
        after = {"last": Dependencies(refers_to=("worker",)), "worker": Dependencies(after=("web",))}
        (found,) = desired_rollout_tasks([task], self.SERVICES, after, {"migrate": {"last", "db", "web"}})
        assert (found.before, found.needs) == (("web",), ("db",))

    def test_tasks_that_need_what_the_other_one_holds_back_wait_for_none_of_it(self) -> None:
        """Neither wait would end."""
        first = {"name": "first", "image": "web:1", "before": ["web"]}
        second = {"name": "second", "image": "web:1", "before": ["db"]}
        named = {"first": {"db", "worker"}, "second": {"last"}}
        after = {"last": Dependencies(after=("web",))}
        found = desired_rollout_tasks([first, second], self.SERVICES, after, named)
        assert [each.needs for each in found] == [("worker",), ()]
        found = desired_rollout_tasks([first, second], self.SERVICES, {}, named)
        assert [each.needs for each in found] == [("db", "worker"), ("last",)], "one after the other"
        both = {**second, "before": ["db", "web"]}
        found = desired_rollout_tasks([first, both], self.SERVICES, {}, {"first": {"db"}, "second": {"web"}})
        assert [each.needs for each in found] == [("db",), ()]

    def test_others_are_no_part_of_rollouts(self) -> None:
        tasks = [{"name": "seed", "image": "web:1"}, {"name": "none", "image": "web:1", "before": ["gone"]}]
        assert desired_rollout_tasks(tasks, self.SERVICES, {}, {}) == ()
