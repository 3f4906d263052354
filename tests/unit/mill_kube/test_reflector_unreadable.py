"""Unreadable objects are left out, counted and logged once; all others stay."""

import asyncio
import logging
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from mill_kube.client import KubeClient
from mill_kube.errors import Expired
from mill_kube.reflector import Reflector
from mill_kube.resources import PODS
from mill_objects.fields import Unreadable, identity
from mill_objects.json import Json
from mill_objects.key import Key
from mill_process.metrics import WatchMetrics
from tests.support.watches import Pod, ScriptedServer, until

SECRET = "password=hunter2"


def pod(name: str, version: int, **odd: Any) -> Json:
    return {"metadata": {"name": name, "namespace": "n", "uid": "u", "resourceVersion": str(version), **odd}}


def odd(name: str, version: int) -> Json:
    return pod(name, version, labels={SECRET: SECRET})


def project(body: Json) -> Pod:
    known = identity(body)
    if "labels" in body["metadata"]:
        raise KeyError(body["metadata"]["labels"])
    return Pod(known.key, known.resource_version, "g")


class Watching:
    """A reflector, and what it told."""

    def __init__(self, lists: list[list[Json]], watches: list[list[Any]]) -> None:
        self.server = ScriptedServer(lists, watches)
        self.changes: list[tuple[str | None, str | None]] = []
        self.store = Reflector(
            cast("KubeClient", self.server), PODS, project=project, on_change=self._note, group=lambda each: each.group
        )

    def _note(self, old: Pod | None, new: Pod | None) -> None:
        self.changes.append((old and old.key.name, new and new.key.name))

    async def follow(self) -> None:
        task = asyncio.create_task(self.store.run())
        await self.store.synced.wait()
        await until(lambda: not self.server._watches)
        await asyncio.sleep(0.005)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    @property
    def names(self) -> list[str]:
        return sorted(each.key.name for each in self.store.all())


async def test_an_unreadable_object_in_a_list_is_left_out_alone(caplog: pytest.LogCaptureFixture) -> None:
    watching = Watching([[pod("a", 1), odd("b", 2), {"metadata": None}, cast("Json", None), pod("c", 3)]], [])
    await watching.follow()
    assert watching.names == ["a", "c"]
    assert watching.store.unreadable == 2
    lines = [each.getMessage() for each in caplog.records]
    assert [line.partition(":")[2].partition(",")[0] for line in lines] == [
        " 'n/b' cannot be read",
        " '/' cannot be read",
    ]
    assert "KeyError in test_reflector_unreadable.py, line " in lines[0]
    assert lines[1].endswith("left out: no metadata.namespace")
    assert SECRET not in caplog.text


async def test_an_unreadable_event_removes_the_known_object() -> None:
    watching = Watching([[pod("a", 1), pod("b", 2)]], [[("MODIFIED", odd("a", 3)), ("ADDED", pod("c", 4))]])
    await watching.follow()
    assert watching.names == ["b", "c"]
    assert watching.changes[2:] == [("a", None), (None, "c")]
    assert [each.key.name for each in watching.store.in_group("g")] == ["b", "c"]
    assert watching.store.unreadable == 1


async def test_an_object_that_is_readable_again_returns() -> None:
    watching = Watching([[odd("a", 1)]], [[("MODIFIED", pod("a", 2))]])
    await watching.follow()
    assert (watching.names, watching.changes, watching.store.unreadable) == (["a"], [(None, "a")], 0)


async def test_an_unreadable_object_is_logged_once_for_each_occurrence(caplog: pytest.LogCaptureFixture) -> None:
    events = [odd("a", 2), odd("a", 3), pod("a", 4), odd("a", 5), odd("a", 6)]
    watching = Watching(
        [[odd("a", 1)], [odd("a", 6)]],
        [[("MODIFIED", each) for each in events] + [Expired(410, "Expired", "")], [("MODIFIED", odd("a", 7))]],
    )
    with caplog.at_level(logging.WARNING):
        await watching.follow()
    assert len(caplog.records) == 2
    assert watching.changes == [(None, "a"), ("a", None)]


async def test_a_deleted_object_no_longer_counts_as_unreadable() -> None:
    watching = Watching(
        [[odd("a", 1), pod("b", 1), odd("c", 1), odd("d", 1)], [odd("d", 9)]],
        [[("DELETED", odd("a", 2)), ("DELETED", odd("b", 3))], [Expired(410, "Expired", "")], []],
    )
    await watching.follow()
    assert (watching.names, watching.changes) == ([], [(None, "b"), ("b", None)])
    assert watching.store.unreadable == 1  # `c` went while nobody watched


async def test_a_list_drops_objects_that_became_unreadable() -> None:
    watching = Watching([[pod("a", 1)], [odd("a", 5)]], [[Expired(410, "Expired", "")], []])
    await watching.follow()
    assert watching.changes == [(None, "a"), ("a", None)]


@pytest.mark.parametrize("version", [None, 5, [], "", "no number"])
async def test_an_event_without_a_version_leaves_the_watch_where_it_was(version: Any) -> None:
    body = pod("a", 1, resourceVersion=version)
    watching = Watching([[]], [[("ADDED", pod("b", 150)), ("MODIFIED", body), ("BOOKMARK", {"metadata": None})], []])
    await watching.follow()
    assert watching.server.watched_from[:2] == ["100", "no number" if version == "no number" else "150"]
    assert "b" in watching.names


@pytest.mark.parametrize("page", [{"items": []}, {"items": None, "metadata": {"resourceVersion": 7}}, {}])
async def test_a_list_without_a_version_is_asked_for_again(page: Json, caplog: pytest.LogCaptureFixture) -> None:
    watching = Watching([[pod("a", 1)]], [])
    pages = [page]
    listed = watching.server.list

    async def answer(*args: Any, **options: Any) -> Json:
        return pages.pop() if pages else await listed(*args, **options)

    watching.server.list = answer  # type: ignore[method-assign]
    await watching.follow()
    assert watching.names == ["a"]
    assert "a list without a resource version" in caplog.text


async def test_an_answer_to_our_own_write_that_cannot_be_read_is_the_writers_error() -> None:
    watching = Watching([], [])
    watching.store.put(pod("a", 9))
    with pytest.raises(Unreadable):
        watching.store.put(odd("a", 10))
    assert watching.names == ["a"]  # the watch will tell
    assert watching.store.unreadable == 1
    watching.store._leave_out(Key("n", "a"), "8")
    assert watching.names == ["a"]  # what the watch told was older


async def test_those_that_are_left_out_are_counted_by_resource() -> None:
    first, second = Watching([[odd("a", 1)]], []), Watching([[odd("b", 1), odd("c", 1), pod("d", 1)]], [])
    await first.follow()
    await second.follow()
    registry = CollectorRegistry()
    registry.register(WatchMetrics("mill_gateway", [first.store, second.store]))
    assert registry.get_sample_value("mill_gateway_watch_unreadable_objects", {"resource": "pods"}) == 3
