"""Messages of a change of the status; none is repeated."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_api.status import MillDeploymentStatus
from mill_api.task_status import RunState, TaskRun, TaskStatus
from mill_operator.core import limits
from mill_operator.core.rollout.event_messages import EventMessage, event_messages
from mill_operator.core.rollout.status_change import StatusChange
from tests.support.rollouts import World, failed, healthy, pending, starting, suspect

NOT_FOUND = "image pull failed: tag not found"


class Listener(World):
    """A MillDeployment, and the messages when its status is written."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[EventMessage] = []

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write the status once, at the end of the block."""
        before = self.status
        yield
        self.said = event_messages(StatusChange.between(before, self.status))

    def see(self, *observations, **more) -> list[tuple[str, str]]:
        with self.writing():
            self.look(*observations, **more)
        return self.verdicts

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        return [(each.reason, each.text) for each in self.said if each.verdict]


@pytest.fixture
def listener() -> Listener:
    return Listener()


class TestARollout:
    def test_from_its_start_to_its_end(self, listener):
        assert listener.see(pending("web"), pending("broken")) == [("RolloutStarted", "rollout 1 has started")]
        assert listener.see(starting("web"), pending("broken")) == []
        assert [each.text for each in listener.said] == ["web is scheduled on node-1", "web is starting"]
        assert listener.see(starting("web"), failed("broken")) == [
            ("TagNotFound", f"broken has failed: {NOT_FOUND}"),
        ]
        assert [each.warning for each in listener.said] == [True]
        assert listener.see(healthy("web"), failed("broken")) == [
            ("Healthy", "web is healthy"),
            ("RolloutFailed", f"rollout 1 has finished with errors: 1 of 2 failed: broken: {NOT_FOUND}"),
        ]
        assert [each.warning for each in listener.said] == [False, True]

    def test_a_rollout_without_failures(self, listener):
        assert listener.see(healthy("web")) == [
            ("RolloutStarted", "rollout 1 has started"),
            ("Healthy", "web is healthy"),
            ("RolloutSucceeded", "rollout 1 has succeeded: 1 of 1 healthy"),
        ]

    def test_a_suspicion_is_logged_and_is_no_event(self, listener):
        listener.see(pending("web"))
        assert listener.see(suspect("web")) == []
        assert listener.said[0].text == f"web is suspect: {NOT_FOUND}"

    def test_unchanged_healthy_services_have_no_message(self, listener):
        listener.see(healthy("web"))
        listener.deploy("again")
        assert listener.see(healthy("web")) == [
            ("RolloutStarted", "rollout 1-again has started"),
            ("RolloutSucceeded", "rollout 1-again has succeeded: 1 of 1 healthy"),
        ]

    def test_a_newer_rollout_supersedes_an_unfinished_one(self, listener):
        listener.see(starting("web"))
        listener.deploy()
        assert listener.see(pending("web")) == [
            ("RolloutSuperseded", "rollout 1 is superseded by rollout 2"),
            ("RolloutStarted", "rollout 2 has started"),
        ]

    def test_a_service_that_left_the_file_has_stopped(self, listener):
        listener.see(healthy("web"), healthy("old"))
        listener.deploy()
        listener.see(healthy("web"), present={"old": "node-1"})
        assert listener.see(healthy("web"))[0] == ("Stopped", "old has stopped")

    def test_a_spec_that_is_refused_is_one_warning(self, listener):
        with listener.writing():
            listener.refuse_rollout("unknown service a\nunknown service b")
        assert listener.verdicts == [
            ("InvalidSpec", "rollout 1 is refused: unknown service a; unknown service b"),
        ]
        assert listener.said[0].warning
        assert listener.see(healthy("web"))[0] == ("RolloutStarted", "rollout 1 has started")

    def test_one_write_reports_all_changes_in_their_order(self, listener):
        with listener.writing():
            listener.look(pending("a"), starting("b"))
            listener.look(failed("a"), starting("b"))
            listener.look(pending("a"), healthy("b"))
            listener.look(healthy("a"), healthy("b"))
        assert [text for _, text in listener.verdicts] == [
            "rollout 1 has started",
            f"a has failed: {NOT_FOUND}",
            "b is healthy",
            "a has recovered",
            "rollout 1 has succeeded: 2 of 2 healthy",
        ]

    def test_a_repeated_verdict_is_counted(self, listener):
        for _ in range(3):
            listener.look(failed("a"), starting("b"))
            listener.look(starting("a"), starting("b"))
            listener.look(healthy("a"), starting("b"))
        listener.see(failed("a"), starting("b"))
        assert (listener.said[0].reason, listener.said[0].count) == ("TagNotFound", 4)
        listener.see(healthy("a"), starting("b"))
        assert (listener.said[0].reason, listener.said[0].count) == ("Recovered", 4)

    def test_ids_sort_by_time_and_a_repeated_verdict_keeps_its_id(self, listener):
        with listener.writing():
            listener.look(failed("z"), starting("a"))
            listener.look(healthy("z"), starting("a"))
        started, first, recovered = (each.id for each in listener.said if each.verdict)
        listener.see(failed("z"), healthy("a"))
        again, healed, finished = (each.id for each in listener.said)
        assert again == first
        assert [started, first, recovered, healed, finished] == sorted([started, first, recovered, healed, finished])


class TestAfterwards:
    def test_a_healthy_service_after_a_failure_has_recovered(self, listener):
        listener.see(failed("web"))
        assert listener.see(starting("web")) == []
        assert listener.see(healthy("web")) == [("Recovered", "web has recovered")]
        assert listener.said[0].count is None

    def test_a_service_that_fails_has_failed(self, listener):
        listener.see(healthy("web"))
        assert listener.see(suspect("web", "ContainerExited")) == []
        assert listener.see(failed("web", "ContainerExited", message="exited"), after=1) == [
            ("ContainerExited", "web has failed: exited"),
        ]
        assert listener.see(failed("web", "OutOfMemory", message="oom")) == [("OutOfMemory", "web has failed: oom")]
        assert listener.see(failed("web", "OutOfMemory", message="oom")) == []

    def test_a_lost_pod_that_is_replaced_is_not_reported(self, listener):
        listener.see(healthy("web"))
        assert listener.see(pending("web"), after=1) == []
        assert listener.see(healthy("web")) == []


def status(*runs: TaskRun, **task: str) -> MillDeploymentStatus:
    return MillDeploymentStatus(tasks=[TaskStatus(name="migrate", runs=list(runs), **task)])


def run(state: RunState, *, name: str = "m-1", created: str = "2026-01-31T12:00:00.000Z", **more: str) -> TaskRun:
    return TaskRun(name=name, state=state, created_at=created, **more)


FAILED = run(RunState.FAILED, reason="ContainerExited", message="container exited with code 3")


class TestRuns:
    @pytest.mark.parametrize(
        ("after", "reason", "text", "warning"),
        [
            (FAILED, "ContainerExited", "has failed: container exited with code 3", True),
            (run(RunState.SUCCEEDED), "TaskSucceeded", "has succeeded", False),
            (run(RunState.STOPPED), "TaskStopped", "was stopped", False),
        ],
    )
    def test_an_end_is_reported(self, after, reason, text, warning):
        (said,) = event_messages(StatusChange.between(status(run(RunState.RUNNING)), status(after)))
        assert (said.reason, said.text) == (reason, f"run m-1 of task migrate {text}")
        assert (said.warning, said.verdict, said.count, said.action) == (warning, True, 1, "Run")
        assert (
            event_messages(
                StatusChange.between(status(after), status(after.model_copy(update={"finished_at": "later"})))
            )
            == []
        )

    def test_an_active_run_is_not_reported(self):
        assert (
            event_messages(
                StatusChange.between(status(), status(run(RunState.PENDING, reason="PullDenied", message="x")))
            )
            == []
        )
        assert event_messages(StatusChange.between(status(), status(run(RunState.RUNNING)))) == []

    def test_a_run_that_recovers_and_succeeds_reports_both(self):
        before = status(run(RunState.FAILED, reason="TagNotFound", message="x"))
        assert event_messages(StatusChange.between(before, status(run(RunState.RUNNING)))) == []
        (said,) = event_messages(StatusChange.between(status(run(RunState.RUNNING)), status(run(RunState.SUCCEEDED))))
        assert said.reason == "TaskSucceeded"

    def test_the_same_verdict_on_another_run_of_that_name_is_another(self):
        (first,) = event_messages(StatusChange.between(status(), status(FAILED)))
        again = FAILED.model_copy(update={"created_at": "2026-01-31T13:00:00.000Z"})
        (second,) = event_messages(StatusChange.between(status(FAILED), status(again)))
        assert first.text == second.text
        assert first.id != second.id

    def test_a_task_that_cannot_start_is_reported_once(self):
        taken = status(reason="NameTaken", message="belongs to Helm")
        (said,) = event_messages(StatusChange.between(status(), taken))
        assert (said.reason, said.text) == ("NameTaken", "task migrate cannot be spawned: belongs to Helm")
        assert event_messages(StatusChange.between(taken, taken)) == []


def test_a_note_is_cut_to_what_the_api_server_takes(listener):
    with listener.writing():
        listener.refuse_rollout("ä" * limits.EVENT_BYTES)
    text = listener.said[0].text
    assert limits.EVENT_BYTES - 1 <= len(text.encode()) <= limits.EVENT_BYTES


def test_the_same_verdict_has_the_same_id_in_every_operator():
    ids = []
    for _ in range(2):
        listener = Listener()
        listener.see(pending("web"), failed("broken"))
        ids.append([each.id for each in listener.said])
        assert len(set(ids[-1])) == len(ids[-1])
    assert ids[0] == ids[1]


STATES = st.sampled_from([pending, starting, suspect, failed, healthy])


@given(st.lists(st.tuples(STATES, STATES), min_size=1, max_size=12), st.data())
def test_verdicts_of_a_rollout_do_not_depend_on_how_often_it_was_written(looks, data):
    """A failed write that the next one replaces loses no verdict and repeats none."""
    often, seldom = Listener(), Listener()
    told: list[tuple[str, str]] = []
    for first, second in looks:
        told += often.see(first("a"), second("b"))
        assert event_messages(StatusChange.between(often.status, often.status)) == []
        if often.status.rollout.finished_at is not None:
            break
    seldom_told: list[tuple[str, str]] = []
    position = 0
    while seldom.status.rollout is None or seldom.status.rollout.finished_at is None:
        if position == len(looks):
            break
        step = data.draw(st.integers(1, 4))
        with seldom.writing():
            for first, second in looks[position : position + step]:
                seldom.look(first("a"), second("b"))
                position += 1
                if seldom.status.rollout.finished_at is not None:
                    break
        seldom_told += seldom.verdicts
    assert seldom_told == told
