"""ConfigMaps of files go when no version needs them: not at once, and not while a ReplicaSet or a Job names them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mill_api.owner import Owner
from mill_kube.connection import METADATA_LIST
from mill_kube.errors import ApiError
from mill_kube.resources import CONFIG_MAPS, JOBS, REPLICA_SETS, Resource
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator.core.objects.old_files import (
    KEPT_UNUSED,
    LOOK_EVERY,
    NOTHING_OLD,
    OldFiles,
    look,
    schedule,
    unwanted_files,
)
from tests.support.children import OBSERVED
from tests.support.reconciling import KEY, SERVICE, ReconcilerHarness

NOW = datetime.fromisoformat("2026-02-14T10:00:00+00:00")
OLD = replace(OBSERVED, kind="ConfigMap", uid="old", files="d1")


def test_nothing_is_looked_at_without_an_unwanted_config_map() -> None:
    assert schedule(OldFiles(NOW, {"old": NOW}), [], NOW) == NOTHING_OLD
    first = schedule(NOTHING_OLD, [OLD], NOW)
    assert first.next_look == NOW + LOOK_EVERY
    assert schedule(first, [OLD], NOW + timedelta(minutes=1)) == first


def test_a_config_map_goes_an_hour_after_nothing_needed_it() -> None:
    known, gone = look(NOTHING_OLD, [OLD], {"d1"}, NOW)
    assert (known.unused_since, gone) == ({}, [])
    known, gone = look(known, [OLD], set(), NOW + LOOK_EVERY)
    assert (known.unused_since, gone) == ({"old": NOW + LOOK_EVERY}, [])
    early = NOW + LOOK_EVERY + KEPT_UNUSED - timedelta(seconds=1)
    assert look(known, [OLD], set(), early)[1] == []
    assert look(known, [OLD], {"d1"}, NOW + LOOK_EVERY + KEPT_UNUSED) == (
        OldFiles(NOW + 2 * LOOK_EVERY + KEPT_UNUSED, {}),
        [],
    ), "a version needs it again"
    assert look(known, [OLD], set(), NOW + LOOK_EVERY + KEPT_UNUSED)[1] == [OLD]


def test_only_ours_are_unwanted() -> None:
    owner = Owner(Key("shop", "mill"), OLD.owner_uid)
    assert unwanted_files([OLD], [], owner, set()) == [OLD]
    for other in (
        replace(OLD, kind="Service"),
        replace(OLD, owner_uid="another"),
        replace(OLD, owner_uid=""),
        replace(OLD, files=""),
        replace(OLD, terminating=True),
    ):
        assert unwanted_files([other], [], owner, set()) == []
    assert unwanted_files([OLD], [], owner, {("service", OLD.service)}) == [], "what it wants is not known"


def _file(content: str) -> Json:
    return {"services": [{**SERVICE, "files": [{"path": "/etc/app.conf", "content": content}]}]}


class Clock:
    """A clock that a test moves."""

    now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def harness(clock: Clock) -> ReconcilerHarness:
    return ReconcilerHarness(clock)


def _config_maps(harness: ReconcilerHarness) -> dict[str, str]:
    """Return the digests of the ConfigMaps, by their text."""
    return {
        next(iter(each["data"].values())): each["metadata"]["labels"]["mill.dev/files"]
        for each in harness.server.all(CONFIG_MAPS)
    }


async def _pass(harness: ReconcilerHarness, clock: Clock, times: int) -> None:
    for _ in range(times):
        clock.now += LOOK_EVERY
        await harness.reconcile()


@pytest.mark.parametrize("resource", [REPLICA_SETS, JOBS], ids=lambda each: each.kind)
async def test_an_older_file_stays_while_a_version_has_it(
    harness: ReconcilerHarness, clock: Clock, resource: Resource
) -> None:
    harness.change(spec=_file("one"))
    await harness.reconcile()
    older = _config_maps(harness)["one"]
    labels = {"mill.dev/deployment": KEY.name, "mill.dev/files": older}
    harness.server.put(resource, {"metadata": {"name": "old", "namespace": KEY.namespace, "labels": labels}})
    harness.change(spec=_file("two"), generation=2)
    await harness.reconcile()
    assert set(_config_maps(harness)) == {"one", "two"}, "the older version keeps its file"
    assert not harness.server.sent("list", REPLICA_SETS), "nothing is looked at during a rollout"
    await _pass(harness, clock, 6)
    assert set(_config_maps(harness)) == {"one", "two"}
    harness.server.remove(resource, KEY.namespace, "old")
    await _pass(harness, clock, 2)
    assert set(_config_maps(harness)) == {"one", "two"}, "it goes an hour later"
    await _pass(harness, clock, 1)
    assert set(_config_maps(harness)) == {"two"}
    assert {each.accept for each in harness.server.sent("list", REPLICA_SETS)} == {METADATA_LIST}


async def test_a_refused_list_deletes_nothing(harness: ReconcilerHarness, clock: Clock) -> None:
    harness.change(spec=_file("one"))
    await harness.reconcile()
    harness.change(spec=_file("two"), generation=2)
    await harness.reconcile()
    harness.server.add_fault("list", JOBS, error=ApiError(403, "Forbidden", "no"))
    await _pass(harness, clock, 6)
    assert set(_config_maps(harness)) == {"one", "two"}
