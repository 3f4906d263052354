"""A migration before its service, on the in-memory API server: the operator ends at every one of its writes."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from mill_api import names
from mill_api.revisions import asked_annotation
from mill_api.versions import version_of
from mill_kube.connection import Request
from mill_kube.errors import ApiError, Conflict
from mill_kube.resources import CONTROLLER_REVISIONS, CRON_JOBS, DEPLOYMENTS, JOBS, MILL_DEPLOYMENTS, SERVICES
from mill_objects.json import Json
from mill_operator.core import timestamps
from mill_operator.core.rollout_tasks.advance import run_name
from tests.support.apiserver import action_of
from tests.support.reconciling import KEY, UID, ReconcilerHarness, job_body

MOST_STEPS: Final = 60
ENDS: Final = [(number, is_stored) for number in range(1, 40) for is_stored in (False, True)]
"""The writes at which the operator ends, and whether the API server has taken the write."""
PAUSED: Final = {"annotations": {names.ANNOTATION_PAUSED: "true"}}


def spec(version: str, *, port: int = 8080, migration: str | None = None) -> Json:
    task = {"name": "migrate", "image": f"registry.example/web:{migration or version}", "before": ["web"]}
    web = {"name": "web", "image": f"registry.example/web:{version}", "port": port}
    return {"services": [web], "tasks": [{**task, "timeout": "1h"}]}


class Killed(Exception):
    """The operator has ended."""


class World:
    """A cluster in which a run ends well when it has been seen, and an operator that ends at one of its writes."""

    def __init__(self, *, ends_at: int | None = None, is_stored: bool = True) -> None:
        self.harness = ReconcilerHarness(keeps_revisions=True)
        self.created: list[str] = []
        """The Jobs that were ever created, in order."""
        self.sequence: list[str] = []
        """Images of the Jobs and Deployments that were written, in order."""
        self._ends_at, self._is_stored, self._writes = ends_at, is_stored, 0
        create = self.harness.client.request

        async def request(made: Request, *args: Any, **kwargs: Any) -> Json:
            is_write = made.verb not in ("get", "list", "watch")
            self._writes += is_write
            ends = is_write and self._writes == self._ends_at
            if ends and not self._is_stored:
                raise Killed
            answer: Json = await create(made, *args, **kwargs)
            self._note(made, answer)
            if ends:
                raise Killed
            return answer

        self.harness.client.request = request  # type: ignore[method-assign]

    @property
    def writes(self) -> int:
        return self._writes

    @property
    def migrate(self) -> Json:
        (found,) = self.status["rolloutTasks"]
        return dict(found)

    @property
    def status(self) -> Json:
        stored = self.harness.server.find(MILL_DEPLOYMENTS, *KEY)
        assert stored is not None
        return dict(stored.get("status", {}))

    def image(self) -> str | None:
        found = self.harness.server.find(DEPLOYMENTS, KEY.namespace, "web")
        return None if found is None else found["spec"]["template"]["spec"]["containers"][0]["image"][-1]

    async def settle(self, *, end_runs: bool = True) -> None:
        """Reconcile until nothing is written any more, and start the operator again when it has ended."""
        for _ in range(MOST_STEPS):
            before, ended = self._writes, False
            try:
                await self.harness.reconcile()
            except Killed:
                ended = True
                self.restart()
            if self.harness.server.find(CRON_JOBS, KEY.namespace, "migrate") is None:
                self.harness.forget(CRON_JOBS, "migrate")  # as its watch reports
            if end_runs and self._end_runs():
                continue
            if not ended and self._writes == before:
                return
        raise AssertionError("it does not come to rest")

    def restart(self) -> None:
        self.harness.restart()

    def delete_jobs(self) -> None:
        for job in self.harness.server.all(JOBS):
            self.harness.lose(JOBS, job["metadata"]["name"])

    def _end_runs(self) -> bool:
        """Let the runs end of which there is a Job, as its watch reports. Return whether there was one."""
        running = [each for each in self.harness.server.all(JOBS) if not each.get("status")]
        for job in running:
            ended = {"type": "Complete", "status": "True", "lastTransitionTime": timestamps.render(datetime.now(UTC))}
            self.harness.observe(JOBS, {**job, "status": {"conditions": [ended]}})
        return bool(running)

    def _note(self, made: Request, answer: Json) -> None:
        if made.resource == JOBS and made.verb == "create":
            self.created.append(answer["metadata"]["name"])
            self.sequence.append(f"run {answer['spec']['template']['spec']['containers'][0]['image'][-1]}")
        if made.resource == DEPLOYMENTS and action_of(made) == "apply":
            self.sequence.append(f"web {answer['spec']['template']['spec']['containers'][0]['image'][-1]}")


async def rolled_out(world: World, *versions: str) -> None:
    for generation, version in enumerate(versions, 1):
        world.harness.change(spec=spec(version), generation=generation)
        await world.settle()


@pytest.mark.parametrize(("number", "is_stored"), ENDS)
async def test_it_runs_once_wherever_the_operator_ends(number: int, is_stored: bool) -> None:
    world = World(ends_at=number, is_stored=is_stored)
    await rolled_out(world, "1", "2")
    assert Counter(world.sequence)["run 1"] == Counter(world.sequence)["run 2"] == 1, world.sequence
    seen = list(dict.fromkeys(world.sequence))
    assert seen == ["run 1", "web 1", "run 2", "web 2"]
    assert world.migrate["state"] == "Succeeded"
    assert len(world.migrate["succeeded"]) == 2


async def test_the_ends_are_at_all_writes_of_both_rollouts() -> None:
    world = World()
    await rolled_out(world, "1", "2")
    assert world.sequence == ["run 1", "web 1", "run 2", "web 2"]
    assert len(ENDS) // 4 < world.writes <= len(ENDS) // 2


async def test_another_operator_goes_on_after_the_success_and_without_the_job() -> None:
    world = World()
    world.harness.change(spec=spec("1"))
    await world.settle()
    world.harness.change(spec=spec("2"), generation=2)
    await world.settle(end_runs=False)
    assert world.image() == "1"
    world._end_runs()
    for _ in range(5):  # until the success is written
        if world.migrate["state"] == "Succeeded":
            break
        await world.harness.reconcile()
    assert (world.migrate["state"], world.image()) == ("Succeeded", "1")
    world.restart()
    world.delete_jobs()
    await world.settle()
    assert world.image() == "2"
    assert world.sequence.count("run 2") == 1


async def test_a_status_that_was_lost_forgets_no_success() -> None:
    world = World()
    await rolled_out(world, "1", "2")
    stored = world.harness.server.find(MILL_DEPLOYMENTS, *KEY)
    assert stored is not None
    world.harness.observe(MILL_DEPLOYMENTS, {**stored, "status": {}})
    world.delete_jobs()
    world.restart()
    await world.settle()
    assert world.sequence.count("run 2") == 1
    assert world.migrate["state"] == "Succeeded"


@pytest.mark.parametrize(("rollback", "runs"), [(1, 0), (None, 1)])
async def test_a_service_that_goes_back_alone_migrates_nothing(rollback: int | None, runs: int) -> None:
    """The program of the newer migration has never run before the older service. In a new file, that is a version."""
    world = World()
    await rolled_out(world, "1", "2")
    back = spec("1", migration="2")
    note = asked_annotation("alice", back, rollback=rollback)
    world.harness.change(spec=back, generation=3, annotations={names.ANNOTATION_ASKED: note})
    await world.settle()
    assert world.image() == "1"
    assert world.sequence[4:] == [*(["run 2"] * runs), "web 1"]
    assert world.migrate["state"] == "Succeeded"


async def test_a_service_that_goes_back_alone_migrates_nothing_though_its_revision_cannot_be_kept_yet() -> None:
    world = World()
    await rolled_out(world, "1", "2")
    back = spec("1", migration="2")
    note = asked_annotation("alice", back, rollback=1)
    world.harness.server.add_fault("create", CONTROLLER_REVISIONS, times=1, error=ApiError(500, "InternalError", "no"))
    world.harness.change(spec=back, generation=3, annotations={names.ANNOTATION_ASKED: note})
    await world.settle()
    assert world.image() == "1"
    assert world.sequence[4:] == ["web 1"]


async def test_a_success_that_a_newer_file_has_waited_for_is_kept_without_the_status() -> None:
    world = World()
    world.harness.change(spec=spec("1"))
    await world.settle(end_runs=False)
    world.harness.change(spec=spec("2"), generation=2)
    await world.settle()
    assert world.sequence == ["run 1", "run 2", "web 2"]
    stored = world.harness.server.find(MILL_DEPLOYMENTS, *KEY)
    assert stored is not None
    world.harness.observe(MILL_DEPLOYMENTS, {**stored, "status": {}})
    world.delete_jobs()
    world.restart()
    await world.settle()
    world.harness.change(spec=spec("1"), generation=3)
    await world.settle()
    assert world.sequence == ["run 1", "run 2", "web 2", "web 1"]


async def test_a_pause_longer_than_the_job_lives_forgets_no_success() -> None:
    world = World()
    world.harness.change(spec=spec("1"))
    await world.settle(end_runs=False)
    world.harness.change(**PAUSED)
    world._end_runs()
    await world.settle()
    assert world.image() is None
    world.delete_jobs()
    await world.settle()
    world.harness.change(annotations={})
    await world.settle()
    assert world.image() == "1"
    assert world.sequence.count("run 1") == 1


async def test_a_refused_file_longer_than_the_job_lives_forgets_no_success() -> None:
    world = World()
    world.harness.change(spec=spec("1"))
    await world.settle(end_runs=False)
    world.harness.change(spec={"services": [{"name": "web", "image": ""}]}, generation=2)
    await world.settle()
    world.delete_jobs()
    world.harness.change(spec=spec("1"), generation=3)
    await world.settle()
    assert world.image() == "1"
    assert world.sequence.count("run 1") == 1


@pytest.mark.parametrize("exists", [False, True])
async def test_a_run_that_was_written_down_never_gets_the_program_of_a_newer_file(exists: bool) -> None:
    world = World()
    first = True

    async def lost(_body: Json) -> None:
        raise Killed

    create = world.harness.client.request

    async def request(made: Request, *args: Any, **kwargs: Any) -> Json:
        nonlocal first
        if made.resource == JOBS and made.verb == "create" and first:
            first = False
            if exists:
                await create(made, *args, **kwargs)
            raise Killed
        answer: Json = await create(made, *args, **kwargs)
        return answer

    world.harness.client.request = request  # type: ignore[method-assign]
    world.harness.change(spec=spec("1"))
    with pytest.raises(Killed):
        await world.harness.reconcile()
    world.harness.change(spec=spec("2"), generation=2)
    world.restart()
    if exists:
        for job in world.harness.server.all(JOBS):
            world.harness.forget(JOBS, job["metadata"]["name"])  # its watch is late
    await world.settle()
    assert world.sequence == [*(["run 1"] if exists else []), "run 2", "web 2"]
    assert len(world.migrate["succeeded"]) == 1 + exists


async def test_the_older_version_keeps_its_ports_while_it_serves() -> None:
    world = World()
    world.harness.change(spec=spec("1"))
    await world.settle()

    def target() -> object:
        found = world.harness.server.find(SERVICES, KEY.namespace, "web")
        assert found is not None
        return found["spec"]["ports"][0]["targetPort"]

    world.harness.change(spec=spec("2", port=9090), generation=2)
    await world.settle(end_runs=False)
    assert (world.image(), target()) == ("1", 8080)
    await world.settle()
    assert (world.image(), target()) == ("2", 9090)


async def test_a_task_that_leaves_the_file_while_it_runs_keeps_its_run() -> None:
    world = World()
    world.harness.change(spec=spec("1"))
    await world.settle(end_runs=False)
    world.harness.change(spec={"services": spec("1")["services"]}, generation=2)
    await world.settle(end_runs=False)
    assert world.harness.server.all(CRON_JOBS) == []
    assert len(world.harness.server.all(JOBS)) == 1
    assert world.image() == "1", "what is not in the file holds nothing back"
    await world.settle()
    world.harness.change(spec=spec("1"), generation=3)
    await world.settle()
    assert world.sequence.count("run 1") == 1


async def test_a_task_waits_for_no_service_that_wants_no_pods() -> None:
    world = World()
    with_database = spec("1")
    with_database["services"].insert(0, {"name": "db", "image": "registry.example/db:1", "port": 5432, "replicas": 0})
    with_database["tasks"][0]["env"] = {"DATABASE_HOST": "db"}
    world.harness.change(spec=with_database)
    await world.settle()
    assert world.migrate["state"] == "Succeeded"


async def test_a_quota_that_changes_at_this_moment_is_no_job_that_exists() -> None:
    world = World()
    world.harness.server.add_fault("create", JOBS, times=1, error=Conflict(409, "Conflict", "the quota was modified"))
    world.harness.change(spec=spec("1"))
    with pytest.raises(Conflict):
        await world.harness.reconcile()
    await world.settle()
    assert world.sequence == ["run 1", "web 1"]


async def test_a_refused_job_is_why_the_service_does_not_begin() -> None:
    world = World()
    world.harness.server.add_fault("create", JOBS, times=1, error=ApiError(403, "Forbidden", "exceeded quota: jobs"))
    world.harness.change(spec=spec("1"))
    await world.settle()
    assert world.sequence == []
    (web,) = world.status["services"]
    assert (web["state"], web["reason"]) == ("Failed", "ReleaseFailed")
    assert "exceeded quota: jobs" in web["message"]


async def test_a_job_that_was_deleted_before_it_was_noted_is_not_created_again() -> None:
    """The API server has created it, and the answer was lost; then somebody deletes it."""
    world = World()
    world.harness.server.add_fault("create", JOBS, times=1, error=Conflict(409, "AlreadyExists", "it exists"))
    world.harness.change(spec=spec("1"))
    await world.settle()
    assert world.sequence == []
    assert world.migrate["message"] == "its run was not created: it was deleted"


async def test_a_job_of_another_owner_is_not_taken_for_the_run() -> None:
    world = World()
    run = run_name("migrate", version_of(spec("1")["tasks"][0], {"web": spec("1")["services"][0]}), "1", UID)
    foreign = job_body("another CronJob")
    world.harness.server.put(JOBS, {**foreign, "metadata": {**foreign["metadata"], "name": run}})
    world.harness.change(spec=spec("1"))
    await world.settle()
    assert world.migrate["state"] == "Failed"
    assert world.migrate["message"].endswith(f"another owner has a Job of the name {run}")
    assert world.image() is None


async def test_a_task_whose_name_another_owner_has_does_not_run() -> None:
    world = World()
    foreign = {"metadata": {"name": "migrate", "namespace": KEY.namespace, "labels": {}, "ownerReferences": []}}
    world.harness.server.put(CRON_JOBS, foreign)
    world.harness.change(spec=spec("1"))
    await world.settle()
    assert (world.sequence, world.image()) == ([], None)
    assert world.migrate["message"].startswith('its run was not created: CronJob "migrate" belongs to')


async def test_a_task_with_the_address_of_another_owner_does_not_run() -> None:
    """It may send its passwords there."""
    world = World()
    foreign = {"metadata": {"name": "db", "namespace": KEY.namespace, "labels": {}, "ownerReferences": []}}
    world.harness.server.put(SERVICES, foreign)
    with_database = spec("1")
    with_database["services"].append({"name": "db", "image": "registry.example/db:1", "port": 5432, "after": ["web"]})
    with_database["tasks"][0]["env"] = {"DATABASE": "${service.db.address}"}
    world.harness.change(spec=with_database)
    await world.settle()
    assert world.sequence == []
    assert "and the environment has its address" in world.migrate["message"]
