"""Revisions on the in-memory API server: kept with each spec, completed with each result, whenever it ends."""

from typing import Any

import pytest

from mill_api import names
from mill_api.revisions import Revision, read_revision
from mill_kube.connection import Request
from mill_kube.errors import ApiError, Conflict
from mill_kube.resources import CONTROLLER_REVISIONS, DEPLOYMENTS, MILL_DEPLOYMENTS
from mill_objects.json import Json
from tests.support.reconciling import KEY, UID, ReconcilerHarness

ENDS = [(number, is_stored) for number in range(1, 30) for is_stored in (False, True)]


def spec(version: int) -> Json:
    """Return a spec that settles without pods."""
    return {"services": [{"name": "web", "image": f"registry.example/web:{version}", "replicas": 0}]}


class Killed(Exception):
    """The operator has ended."""


class World(ReconcilerHarness):
    """An operator that keeps revisions, and ends at one of its writes."""

    def __init__(self, *, ends_at: int = 0, is_stored: bool = True) -> None:
        super().__init__(keeps_revisions=True)
        self.count = 0
        send = self.client.request

        async def request(made: Request, *args: Any, **kwargs: Any) -> Json:
            is_write = made.verb not in ("get", "list", "watch")
            self.count += is_write
            ends = is_write and self.count == ends_at
            if ends and not is_stored:
                raise Killed
            answer: Json = await send(made, *args, **kwargs)
            if ends:
                raise Killed
            return answer

        self.client.request = request  # type: ignore[method-assign]

    async def settle(self) -> None:
        for _ in range(20):
            before = self.count
            try:
                await self.reconcile()
            except Killed:
                self.restart()
                continue
            if self.count == before:
                return
        raise AssertionError("it does not come to rest")

    async def deploy(self, generation: int, version: int, **metadata: Any) -> None:
        self.change(spec=spec(version), generation=generation, **metadata)
        await self.settle()

    @property
    def revisions(self) -> list[Revision]:
        found = (read_revision(each, UID) for each in self.server.all(CONTROLLER_REVISIONS))
        return sorted((each for each in found if each is not None), key=lambda each: each.revision)

    @property
    def rollout(self) -> Json:
        stored = self.server.find(MILL_DEPLOYMENTS, *KEY)
        assert stored is not None
        return dict(stored["status"]["rollout"])

    @property
    def summary(self) -> list[tuple[int, str | None, str | None]]:
        return [(each.revision, each.rollout, each.result) for each in self.revisions]


@pytest.mark.parametrize(("number", "is_stored"), ENDS)
async def test_each_spec_is_kept_once_wherever_the_operator_ends(number: int, is_stored: bool) -> None:
    world = World(ends_at=number, is_stored=is_stored)
    for generation, version in enumerate((1, 2, 1), 1):
        await world.deploy(generation, version)
    assert world.summary == [(1, "1", "Succeeded"), (2, "2", "Succeeded"), (3, "3", "Succeeded")]
    assert [each.spec for each in world.revisions] == [spec(1), spec(2), spec(1)]
    assert (world.rollout["revision"], world.rollout["recorded"]) == (3, True)


def unsettled(version: int) -> Json:
    """Return a spec whose rollout stays in progress: its pod does not come."""
    return {"services": [{**spec(version)["services"][0], "replicas": 1}]}


@pytest.mark.parametrize(("number", "is_stored"), ENDS)
async def test_what_was_superseded_is_noted_wherever_the_operator_ends(number: int, is_stored: bool) -> None:
    world = World(ends_at=number, is_stored=is_stored)
    for generation in (1, 2):
        world.change(spec=unsettled(generation), generation=generation)
        await world.settle()
    assert world.summary == [(1, "1", "Superseded"), (2, "2", None)]


@pytest.mark.parametrize(("status", "kept"), [(422, [(1, None), (2, None)]), (500, [(1, None)])])
async def test_a_result_that_is_refused_stops_no_newer_revision(
    status: int, kept: list[tuple[int, str | None]]
) -> None:
    world = World()
    world.change(spec=unsettled(1), generation=1)
    await world.settle()
    world.server.add_fault("update", CONTROLLER_REVISIONS, times=1, error=ApiError(status, "No", "no"))
    world.change(spec=unsettled(2), generation=2)
    await world.settle()
    assert [(each.revision, each.result) for each in world.revisions] == kept
    world.restart()  # instead of half a minute
    await world.settle()
    assert len(world.revisions) == 2
    assert world.revisions[0].result == ("Superseded" if status == 500 else None)


async def test_the_ends_are_at_all_writes() -> None:
    world = World()
    for generation, version in enumerate((1, 2, 1), 1):
        await world.deploy(generation, version)
    assert len(ENDS) // 4 < world.count <= len(ENDS) // 2


async def test_a_restart_continues_its_revision() -> None:
    world = World()
    await world.deploy(1, 1)
    await world.deploy(1, 1, annotations={names.ANNOTATION_REQUEST: "r1"})
    ((number, rollout, result),) = world.summary
    assert (number, result) == (1, "Succeeded")
    assert rollout == world.rollout["id"] != "1"


async def test_ten_are_kept_and_their_numbers_go_on() -> None:
    world = World()
    for generation in range(1, 14):
        await world.deploy(generation, generation)
    assert [each.revision for each in world.revisions] == [*range(4, 14)]


async def test_nothing_is_written_again() -> None:
    world = World()
    await world.deploy(1, 1)
    count = len(world.server.requests)
    await world.reconcile()
    world.restart()
    await world.reconcile()
    assert [each for each in world.server.requests[count:] if each.resource == CONTROLLER_REVISIONS] == []


async def test_objects_of_others_keep_their_names_and_contents() -> None:
    world = World()
    foreign = {
        "metadata": {"name": "mill-1", "namespace": KEY.namespace, "labels": {names.LABEL_DEPLOYMENT: KEY.name}},
        "revision": 7,
        "data": {"spec": spec(9)},
    }
    stored = world.server.put(CONTROLLER_REVISIONS, foreign)
    await world.deploy(1, 1)
    assert world.summary == [(2, "1", "Succeeded")]
    assert world.server.find(CONTROLLER_REVISIONS, KEY.namespace, "mill-1") == stored


async def test_a_refused_spec_is_no_revision() -> None:
    world = World()
    await world.deploy(1, 1)
    world.change(spec={"services": [{"name": "web", "image": ""}]}, generation=2)
    await world.settle()
    assert world.rollout["refused"]
    assert world.summary == [(1, "1", "Succeeded")]


async def test_a_pause_keeps_nothing_until_something_acts() -> None:
    world = World()
    await world.deploy(1, 1)
    await world.deploy(2, 2, annotations={names.ANNOTATION_PAUSED: "true"})
    assert len(world.revisions) == 1
    await world.deploy(2, 2, annotations={})
    assert len(world.revisions) == 2


async def test_a_refusal_stops_no_rollout_and_is_reported() -> None:
    world = World()
    error = ApiError(403, "Forbidden", "controllerrevisions.apps is forbidden")
    world.server.add_fault("create", CONTROLLER_REVISIONS, times=1, error=error)
    world.change(spec=spec(1))
    assert await world.reconcile() is not None, "it is tried again"
    await world.settle()
    await world.reconciler.flush()
    assert world.server.find(DEPLOYMENTS, KEY.namespace, "web") is not None
    assert world.rollout["success"]
    (warning,) = world.statuses[-1]["warnings"]
    assert warning["code"] == "RevisionNotKept"
    assert "controllerrevisions.apps is forbidden" in warning["message"]
    world.restart()
    await world.settle()
    assert world.summary == [(1, "1", "Succeeded")]
    assert "warnings" not in world.statuses[-1] or world.statuses[-1]["warnings"] == []


async def test_a_change_at_the_same_moment_is_tried_again() -> None:
    world = World()
    world.server.add_fault("update", CONTROLLER_REVISIONS, times=2, error=Conflict(409, "Conflict", "changed"))
    await world.deploy(1, 1)
    assert world.summary == [(1, "1", "Succeeded")]


async def test_one_that_was_deleted_is_not_made_again_for_its_result() -> None:
    world = World()
    await world.deploy(1, 1)
    world.server.remove(CONTROLLER_REVISIONS, KEY.namespace, "mill-1")
    await world.settle()
    assert world.revisions == []
    await world.deploy(2, 2)
    assert world.summary == [(1, "2", "Succeeded")]
