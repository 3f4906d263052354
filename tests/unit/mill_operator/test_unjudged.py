"""An internal error of one service or run: it cannot be rendered or judged, and its neighbors are."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mill_api.status import MillDeploymentStatus
from mill_api.task_status import RunState, TaskRun
from mill_objects.json import Json
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects import desired as rendering
from mill_operator.core.objects.desired import ChildObject, RenderedObject
from mill_operator.core.objects.rendering import ParsedSpec
from mill_operator.core.reconcile import observations
from mill_operator.core.tasks import status as tasks
from mill_operator.core.tasks.status import observe
from mill_operator.core.verdicts.observation import JudgeInput, Observation
from mill_operator.core.verdicts.unjudged import AGAIN_FAILED, AGAIN_SUSPECT
from tests.support.kstatus_rules import kstatus
from tests.support.reconciling import KEY, ReconcilerHarness
from tests.support.recordings import CREATED
from tests.support.runs import of

SPEC: Json = {
    "services": [
        {"name": "api", "image": "registry.example/api:1", "replicas": 0},
        {"name": "web", "image": "registry.example/web:1", "replicas": 0, "port": 8080},
        {"name": "last", "image": "registry.example/last:1", "replicas": 0},
    ],
    "tasks": [{"name": "migrate", "image": "m:1"}, {"name": "clean", "image": "c:1", "timeout": "2h"}],
}


class Programs(ReconcilerHarness):
    """A reconciler with a clock that the test sets, for one resource of three services and two tasks."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
        super().__init__(lambda: self.now)
        self.change(spec=SPEC)

    def render_again(self, *, generation: int = 1, **change: Any) -> None:
        """Change fields of all programs; without `change` one that nothing is made of, so that no object changes."""
        programs = {
            kind: [{**each, "unknown": generation, **change} for each in programs] for kind, programs in SPEC.items()
        }
        self.change(spec=programs, generation=generation)

    async def reconcile_after(self, seconds: float = 0) -> float | None:
        self.now += timedelta(seconds=seconds)
        return await self.reconcile()

    @property
    def status(self) -> MillDeploymentStatus:
        return self.reconciler._memory[KEY].status

    @property
    def services(self) -> dict[str, tuple[str, str | None]]:
        return {each.name: (each.state.value, each.reason) for each in self.status.services}

    @property
    def written(self) -> str:
        """Everything that was written, statuses and Events included."""
        return str(self.server.answers)


@pytest.fixture
def programs() -> Programs:
    return Programs()


Break = Callable[[pytest.MonkeyPatch], None]


def rendering_fails(patch: pytest.MonkeyPatch) -> None:
    pod_template = rendering.pod_template

    def broken(owner: Any, service: Any, *arguments: Any) -> Any:
        if service.name == "web":
            raise OverflowError("hunter2")
        return pod_template(owner, service, *arguments)

    patch.setattr(rendering, "pod_template", broken)


def judging_fails(patch: pytest.MonkeyPatch) -> None:
    judge = observations.judge

    def broken(given: JudgeInput, now: datetime) -> Observation:
        if given.service.name == "web":
            raise OverflowError("hunter2")
        return judge(given, now)

    patch.setattr(observations, "judge", broken)


both = pytest.mark.parametrize("breaks", [rendering_fails, judging_fails], ids=lambda each: each.__name__)
GOOD: tuple[str, str | None] = ("Healthy", None)


@both
async def test_a_service_is_suspect_and_then_failed_and_its_neighbors_are_judged(
    programs: Programs, breaks: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        breaks(patch)
        assert await programs.reconcile_after() == AGAIN_SUSPECT.total_seconds()
        assert programs.services == {"api": GOOD, "web": ("Suspect", "InternalError"), "last": GOOD}
        assert kstatus(1, programs.status) == "InProgress"
        await programs.reconcile_after(29)
        assert programs.services["web"] == ("Suspect", "InternalError")
        assert await programs.reconcile_after(1) == AGAIN_FAILED.total_seconds()
        assert programs.services == {"api": GOOD, "web": ("Failed", "InternalError"), "last": GOOD}
        assert kstatus(1, programs.status) == "Failed"
        assert programs.status.rollout is not None
        assert programs.status.rollout.success is False
        (web,) = (each for each in programs.status.services if each.name == "web")
        assert "internal error of mill: OverflowError, id " in (web.message or "")
        assert "CONTRIBUTING.md" in (web.suggestion or "")
        assert [each.phase for each in web.transitions] == ["suspect", "failed"]
        statuses = len(programs.statuses)
        await programs.reconcile_after(30)
        assert len(programs.statuses) == statuses, "nothing new, no write"
        assert programs.internal_errors == ["service"] * 4
    await programs.reconcile_after(30)
    assert programs.services == {"api": GOOD, "web": GOOD, "last": GOOD}
    assert kstatus(1, programs.status) == "Current"
    assert "hunter2" not in programs.written


@both
async def test_the_objects_of_a_service_with_an_internal_error_do_not_change(
    programs: Programs, breaks: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    await programs.reconcile_after()
    assert programs.services["web"] == GOOD
    programs.server.requests.clear()
    with monkeypatch.context() as patch:
        breaks(patch)
        programs.render_again(generation=2)
        for _ in range(4):
            await programs.reconcile_after(20)
    assert programs.services["web"] == ("Failed", "InternalError")
    assert programs.writes == []
    assert [each.name for each in programs.status.services] == ["api", "web", "last"]
    assert programs.status.services[1].healthy_template is not None, "what worked is still known"
    await programs.reconcile_after(30)
    assert programs.services["web"] == GOOD
    assert programs.writes == []


async def test_a_task_that_cannot_be_rendered_keeps_its_cron_job(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await programs.reconcile_after()
    programs.server.requests.clear()
    run_spec = rendering.run_spec

    def broken(container: Any, labels: Any, timeout: str, **named: Any) -> Any:
        if timeout == "2h":
            raise OverflowError("date value out of range")
        return run_spec(container, labels, timeout, **named)

    with monkeypatch.context() as patch:
        patch.setattr(rendering, "run_spec", broken)
        programs.render_again(generation=2)
        with caplog.at_level(logging.ERROR):
            await programs.reconcile_after(1)
            await programs.reconcile_after(1)
        assert programs.services == {"api": GOOD, "web": GOOD, "last": GOOD}
        (clean,) = programs.status.tasks
        assert (clean.name, clean.reason) == ("clean", "InternalError")
        assert (clean.message or "").startswith("internal error of mill: OverflowError, id ")
        assert programs.writes == []
        assert len([each for each in caplog.records if "date value out of range" in each.getMessage()]) == 1
    await programs.reconcile_after(1)
    assert programs.status.tasks == []


# Objects are made once for their hash, and again when they are written. The second time can fail too.


def writing_fails(patch: pytest.MonkeyPatch, *names: str) -> None:
    render = ParsedSpec.render

    def broken(source: ParsedSpec, child: ChildObject) -> RenderedObject:
        if child.key.name in names:
            raise OverflowError("hunter2")
        return render(source, child)

    patch.setattr(ParsedSpec, "render", broken)


async def test_an_error_at_the_write_fails_only_its_service_and_its_neighbors_are_written(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        writing_fails(patch, "web")
        assert await programs.reconcile_after() == AGAIN_SUSPECT.total_seconds()
        assert programs.services == {"api": GOOD, "web": ("Suspect", "InternalError"), "last": GOOD}
        await programs.reconcile_after(30)
        assert programs.services == {"api": GOOD, "web": ("Failed", "InternalError"), "last": GOOD}
        assert {name for verb, name in programs.writes if verb == "apply"} == {
            "Deployment api", "Deployment last", "CronJob migrate", "CronJob clean",
        }  # fmt: skip
        assert programs.internal_errors == ["service"] * 2
    await programs.reconcile_after(30)
    assert programs.services == {"api": GOOD, "web": GOOD, "last": GOOD}
    assert ("apply", "Service web") in programs.writes
    assert "hunter2" not in programs.written


async def test_an_error_at_the_write_is_reported_of_its_task(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        writing_fails(patch, "clean")
        await programs.reconcile_after()
        (clean,) = programs.status.tasks
        assert (clean.name, clean.reason) == ("clean", "InternalError")
        assert programs.services == {"api": GOOD, "web": GOOD, "last": GOOD}
        assert programs.internal_errors == ["task"]
    await programs.reconcile_after(1)
    assert programs.status.tasks == []
    assert ("apply", "CronJob clean") in programs.writes


async def test_an_error_at_the_write_deletes_nothing(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    await programs.reconcile_after()
    programs.server.requests.clear()
    writing_fails(monkeypatch, "web", "clean")
    programs.render_again(generation=2, image="registry.example/web:2")
    for _ in range(3):
        await programs.reconcile_after(20)
    assert {name for _, name in programs.writes} == {"Deployment api", "Deployment last", "CronJob migrate"}
    assert programs.services["web"] == ("Failed", "InternalError")


async def test_the_traceback_is_logged_once(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judging_fails(monkeypatch)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            await programs.reconcile_after(10)
    (record,) = (each for each in caplog.records if "internal error" in each.getMessage())
    assert "Traceback" in record.getMessage()
    assert (programs.status.services[1].message or "").rpartition(" ")[2] in record.getMessage()


# Runs of tasks


def observe_jobs(previous: Any = (), *, after: float = 0) -> Any:
    jobs = [of("good", "good"), of("bad", "bad")]
    return observe(jobs, [], previous, problems={}, now=CREATED + timedelta(seconds=after))


def test_a_run_fails_after_a_while_and_the_others_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    observe_run = tasks.observe_run

    def broken(observed: Any, *arguments: Any) -> Any:
        if observed.key.name == "bad":
            raise ValueError("hunter2")
        return observe_run(observed, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "observe_run", broken)
        first = observe_jobs()
        ((name, internal_error),) = first.internal_errors
        assert (name, internal_error.kind) == ("bad", "ValueError")
        runs = {run.name: run for task in first.tasks for run in task.runs}
        assert (runs["good"].state, runs["good"].reason) == (RunState.PENDING, None)
        assert (runs["bad"].state, runs["bad"].reason) == (RunState.PENDING, "InternalError")
        later = observe_jobs(first.tasks, after=30)
        (bad,) = (run for task in later.tasks for run in task.runs if run.name == "bad")
        assert (bad.state, bad.reason, bad.message) == (RunState.FAILED, "InternalError", runs["bad"].message)
        assert bad.finished_at is None
        assert observe_jobs(later.tasks, after=60).tasks == later.tasks
    healed = observe_jobs(later.tasks, after=90)
    (bad,) = (run for task in healed.tasks for run in task.runs if run.name == "bad")
    assert (bad.state, bad.reason) == (RunState.PENDING, None)
    assert healed.internal_errors == ()


def test_a_state_of_a_newer_release_is_judged_again() -> None:
    (task,) = (each for each in observe_jobs().tasks if each.name == "good")
    at = task.runs[0].created_at
    newer = TaskRun(name="good", state=RunState("Skipped"), created_at=at, finished_at=at)
    stored = [task.model_copy(update={"runs": [newer]})]
    (good,) = (run for each in observe_jobs(stored).tasks for run in each.runs if run.name == "good")
    assert (good.state, good.finished_at) == (RunState.PENDING, None)


def test_an_internal_error_does_not_show_the_text_of_the_exception() -> None:
    assert str(InternalError("ValueError", "0123456789", "hunter2")) == "ValueError, id 0123456789"
    assert "hunter2" not in repr(InternalError("ValueError", "0123456789", "hunter2"))
