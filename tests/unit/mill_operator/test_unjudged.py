"""A service or a run that an internal error keeps from being rendered or judged: others still are."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from mill_api.status import MillDeploymentStatus, RunState, TaskRun
from mill_kube.client import KubeClient
from mill_operator.caches import Caches
from mill_operator.core import reconcile
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.objects import desired as rendering
from mill_operator.core.objects.desired import ChildObject, RenderedObject
from mill_operator.core.objects.rendering import ParsedSpec
from mill_operator.core.tasks import status as tasks
from mill_operator.core.tasks.status import observe
from mill_operator.core.verdicts.judge import JudgeInput, Observation
from mill_operator.core.verdicts.unjudged import AGAIN_FAILED, AGAIN_SUSPECT
from mill_operator.reconciler import Reconciler, ReconcilerOptions
from tests.support.reconciling import KEY, RecordingServer, resource_body
from tests.support.runs import of

from .kstatus import kstatus
from .recordings import CREATED

SPEC = {
    "services": [
        {"name": "api", "image": "registry.example/api:1", "replicas": 0},
        {"name": "web", "image": "registry.example/web:1", "replicas": 0, "port": 8080},
        {"name": "last", "image": "registry.example/last:1", "replicas": 0},
    ],
    "tasks": [{"name": "migrate", "image": "m:1"}, {"name": "clean", "image": "c:1", "timeout": "2h"}],
}


class Here:
    """A reconciler with a clock that the test sets, over one resource."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
        self.server = ManyObjects()
        self.internal_errors: list[str] = []
        client = cast("KubeClient", self.server)
        self.caches = Caches(client, None, lambda _key: None)
        self.reconciler = Reconciler(
            client,
            self.caches,
            ReconcilerOptions(),
            lambda: self.now,
            on_internal_error=lambda _key, kind: self.internal_errors.append(kind),
        )
        self.body = self.server.resource = {**resource_body(), "spec": SPEC}
        self.caches.mill_deployments.put(self.body)

    def ask_again(self, *, generation: int = 1, **change: Any) -> None:
        version = str(int(self.body["metadata"]["resourceVersion"]) + 1)
        metadata = {**self.body["metadata"], "generation": generation, "resourceVersion": version}
        changed = {
            kind: [{**each, "unknown": generation, **change} for each in programs] for kind, programs in SPEC.items()
        }  # what they are made of is another, so that they are rendered again; they are the same
        self.body = {**self.body, "metadata": metadata, "spec": changed}
        self.caches.mill_deployments.put(self.body)

    async def look(self, after: float = 0) -> float | None:
        self.now += timedelta(seconds=after)
        return await self.reconciler.reconcile(KEY)

    @property
    def status(self) -> MillDeploymentStatus:
        return self.reconciler._memory[KEY].status

    @property
    def services(self) -> dict[str, tuple[str, str | None]]:
        return {each.name: (each.state.value, each.reason) for each in self.status.services}


class ManyObjects(RecordingServer):
    """Gives each object of one kind its own identity, as an API server does."""

    async def apply(self, resource: Any, namespace: str, body: dict[str, Any], *, manager: str) -> dict[str, Any]:
        answer = await super().apply(resource, namespace, body, manager=manager)
        answer["metadata"]["uid"] = f"{resource.kind} {body['metadata']['name']}"
        self.calls[-1] = ("apply", f"{resource.kind} {body['metadata']['name']}")
        return {**answer, "spec": body.get("spec", {})}


@pytest.fixture
def here() -> Here:
    return Here()


Break = Callable[[pytest.MonkeyPatch], None]


def rendering_fails(patch: pytest.MonkeyPatch) -> None:
    pod_template = rendering.pod_template

    def broken(owner: Any, service: Any, *arguments: Any) -> Any:
        if service.name == "web":
            raise OverflowError("hunter2")
        return pod_template(owner, service, *arguments)

    patch.setattr(rendering, "pod_template", broken)


def judging_fails(patch: pytest.MonkeyPatch) -> None:
    judge = reconcile.judge

    def broken(given: JudgeInput, now: datetime) -> Observation:
        if given.service.name == "web":
            raise OverflowError("hunter2")
        return judge(given, now)

    patch.setattr(reconcile, "judge", broken)


both = pytest.mark.parametrize("breaks", [rendering_fails, judging_fails], ids=lambda each: each.__name__)
GOOD = ("Healthy", None)


@both
async def test_a_service_with_an_internal_error_is_suspect_then_failed_and_others_are_judged(
    here: Here, breaks: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        breaks(patch)
        assert await here.look() == AGAIN_SUSPECT.total_seconds()
        assert here.services == {"api": GOOD, "web": ("Suspect", "InternalError"), "last": GOOD}
        assert kstatus(1, here.status) == "InProgress"
        await here.look(after=29)
        assert here.services["web"] == ("Suspect", "InternalError")
        assert await here.look(after=1) == AGAIN_FAILED.total_seconds()
        assert here.services == {"api": GOOD, "web": ("Failed", "InternalError"), "last": GOOD}
        assert kstatus(1, here.status) == "Failed"
        assert here.status.rollout is not None
        assert here.status.rollout.success is False
        (web,) = (each for each in here.status.services if each.name == "web")
        assert "internal error of mill: OverflowError, id " in (web.message or "")
        assert "CONTRIBUTING.md" in (web.suggestion or "")
        assert [each.phase for each in web.transitions] == ["suspect", "failed"]
        statuses = len(here.server.statuses)
        await here.look(after=30)
        assert len(here.server.statuses) == statuses, "nothing new, no write"
        assert here.internal_errors == ["service"] * 4
    await here.look(after=30)
    assert here.services == {"api": GOOD, "web": GOOD, "last": GOOD}
    assert kstatus(1, here.status) == "Current"
    assert "hunter2" not in str(here.server.statuses) + str(here.server.events)


@both
async def test_objects_of_an_unrendered_service_are_neither_deleted_nor_changed(
    here: Here, breaks: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.look()
    assert here.services["web"] == GOOD
    here.server.calls.clear()
    with monkeypatch.context() as patch:
        breaks(patch)
        here.ask_again(generation=2)
        for _ in range(4):
            await here.look(after=20)
    assert here.services["web"] == ("Failed", "InternalError")
    assert here.server.calls == []
    assert [each.name for each in here.status.services] == ["api", "web", "last"]
    assert here.status.services[1].healthy_template is not None, "what worked is still known"
    await here.look(after=30)
    assert here.services["web"] == GOOD
    assert here.server.calls == []


async def test_a_task_that_cannot_be_rendered_keeps_its_cron_job(
    here: Here, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await here.look()
    here.server.calls.clear()
    run_spec = rendering.run_spec

    def broken(container: Any, labels: Any, timeout: str, **named: Any) -> Any:
        if timeout == "2h":
            raise OverflowError("date value out of range")
        return run_spec(container, labels, timeout, **named)

    with monkeypatch.context() as patch:
        patch.setattr(rendering, "run_spec", broken)
        here.ask_again(generation=2)
        with caplog.at_level(logging.ERROR):
            await here.look(after=1)
            await here.look(after=1)
        assert here.services == {"api": GOOD, "web": GOOD, "last": GOOD}
        (clean,) = here.status.tasks
        assert (clean.name, clean.reason) == ("clean", "InternalError")
        assert (clean.message or "").startswith("internal error of mill: OverflowError, id ")
        assert here.server.calls == []
        assert len([each for each in caplog.records if "date value out of range" in each.getMessage()]) == 1
    await here.look(after=1)
    assert here.status.tasks == []


class TestWhenItIsWritten:
    """Objects are rendered for their hash, and again for a write: that can fail as well."""

    @staticmethod
    def fails(patch: pytest.MonkeyPatch, *names: str) -> None:
        render = ParsedSpec.render

        def broken(source: ParsedSpec, child: ChildObject) -> RenderedObject:
            if child.key.name in names:
                raise OverflowError("hunter2")
            return render(source, child)

        patch.setattr(ParsedSpec, "render", broken)

    async def test_an_error_at_the_write_fails_that_service_and_others_are_written(
        self, here: Here, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            self.fails(patch, "web")
            assert await here.look() == AGAIN_SUSPECT.total_seconds()
            assert here.services == {"api": GOOD, "web": ("Suspect", "InternalError"), "last": GOOD}
            await here.look(after=30)
            assert here.services == {"api": GOOD, "web": ("Failed", "InternalError"), "last": GOOD}
            assert {name for verb, name in here.server.calls if verb == "apply"} == {
                "Deployment api", "Deployment last", "CronJob migrate", "CronJob clean",
            }  # fmt: skip
            assert here.internal_errors == ["service"] * 2
        await here.look(after=30)
        assert here.services == {"api": GOOD, "web": GOOD, "last": GOOD}
        assert ("apply", "Service web") in here.server.calls
        assert "hunter2" not in str(here.server.statuses) + str(here.server.events)

    async def test_a_task_cannot_be_spawned_meanwhile(self, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            self.fails(patch, "clean")
            await here.look()
            (clean,) = here.status.tasks
            assert (clean.name, clean.reason) == ("clean", "InternalError")
            assert here.services == {"api": GOOD, "web": GOOD, "last": GOOD}
            assert here.internal_errors == ["task"]
        await here.look(after=1)
        assert here.status.tasks == []
        assert ("apply", "CronJob clean") in here.server.calls

    async def test_nothing_is_deleted_for_it(self, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
        await here.look()
        here.server.calls.clear()
        self.fails(monkeypatch, "web", "clean")
        here.ask_again(generation=2, image="registry.example/web:2")
        for _ in range(3):
            await here.look(after=20)
        assert {name for _, name in here.server.calls} == {"Deployment api", "Deployment last", "CronJob migrate"}
        assert here.services["web"] == ("Failed", "InternalError")


async def test_the_log_has_its_traceback_once(
    here: Here, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judging_fails(monkeypatch)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            await here.look(after=10)
    (record,) = (each for each in caplog.records if "internal error" in each.getMessage())
    assert "Traceback" in record.getMessage()
    assert (here.status.services[1].message or "").rpartition(" ")[2] in record.getMessage()


class TestARun:
    """Of a task."""

    def see(self, previous: Any = (), *, after: float = 0) -> Any:
        jobs = [of("good", "good"), of("bad", "bad")]
        return observe(jobs, [], previous, problems={}, now=CREATED + timedelta(seconds=after))

    def test_a_run_with_an_internal_error_is_reported_after_a_while_and_others_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look = tasks.observe_run

        def broken(seen: Any, *arguments: Any) -> Any:
            if seen.key.name == "bad":
                raise ValueError("hunter2")
            return look(seen, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(tasks, "observe_run", broken)
            first = self.see()
            ((name, internal_error),) = first.internal_errors
            assert (name, internal_error.kind) == ("bad", "ValueError")
            runs = {run.name: run for task in first.tasks for run in task.runs}
            assert (runs["good"].state, runs["good"].reason) == (RunState.PENDING, None)
            assert (runs["bad"].state, runs["bad"].reason) == (RunState.PENDING, "InternalError")
            later = self.see(first.tasks, after=30)
            (bad,) = (run for task in later.tasks for run in task.runs if run.name == "bad")
            assert (bad.state, bad.reason, bad.message) == (RunState.FAILED, "InternalError", runs["bad"].message)
            assert bad.finished_at is None
            assert self.see(later.tasks, after=60).tasks == later.tasks
        healed = self.see(later.tasks, after=90)
        (bad,) = (run for task in healed.tasks for run in task.runs if run.name == "bad")
        assert (bad.state, bad.reason) == (RunState.PENDING, None)
        assert healed.internal_errors == ()

    def test_a_state_of_a_newer_release_is_judged_again(self) -> None:
        (task,) = (each for each in self.see().tasks if each.name == "good")
        at = task.runs[0].created_at
        newer = TaskRun(name="good", state=RunState("Skipped"), created_at=at, finished_at=at)
        stored = [task.model_copy(update={"runs": [newer]})]
        (good,) = (run for each in self.see(stored).tasks for run in each.runs if run.name == "good")
        assert (good.state, good.finished_at) == (RunState.PENDING, None)


def test_an_internal_error_shows_no_text_of_its_exception() -> None:
    assert str(InternalError("ValueError", "0123456789", "hunter2")) == "ValueError, id 0123456789"
    assert "hunter2" not in repr(InternalError("ValueError", "0123456789", "hunter2"))
