"""The store follows the server through cut watches, expiry and its own writes."""

import asyncio
from typing import Any, cast

import pytest

from mill_kube import reflector as module
from mill_kube.client import KubeClient
from mill_kube.errors import Expired, Unreachable
from mill_kube.reflector import Reflector
from mill_kube.resources import PODS
from mill_objects.key import Key
from tests.support.watches import Pod, ScriptedServer, until


def _pod(name: str, version: int, group: str = "g") -> dict[str, Any]:
    meta = {"name": name, "namespace": "n", "resourceVersion": str(version), "labels": {"group": group}}
    return {"metadata": meta}


def _project(body: dict[str, Any]) -> Pod:
    meta = body["metadata"]
    return Pod(Key(meta["namespace"], meta["name"]), meta["resourceVersion"], meta.get("labels", {}).get("group", ""))


async def _play(server: ScriptedServer) -> tuple[Reflector[Pod], list[tuple[str | None, str | None]]]:
    changes: list[tuple[str | None, str | None]] = []

    def note(old: Pod | None, new: Pod | None) -> None:
        changes.append(
            (old and f"{old.key.name}@{old.resource_version}", new and f"{new.key.name}@{new.resource_version}")
        )

    store = Reflector(
        cast("KubeClient", server), PODS, project=_project, on_change=note, group=lambda pod: pod.group or None
    )
    task = asyncio.create_task(store.run())
    await store.synced.wait()
    await until(lambda: not server._watches)
    await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return store, changes


async def test_changes_are_reported_with_the_earlier_state() -> None:
    server = ScriptedServer(
        [[_pod("a", 1)]], [[("MODIFIED", _pod("a", 2)), ("ADDED", _pod("b", 3)), ("DELETED", _pod("a", 4))]]
    )
    store, changes = await _play(server)
    assert changes == [(None, "a@1"), ("a@1", "a@2"), (None, "b@3"), ("a@4", None)]
    assert [pod.key.name for pod in store.all()] == ["b"]


async def test_a_deletion_while_the_watch_was_expired_is_reported() -> None:
    server = ScriptedServer([[_pod("a", 1), _pod("b", 2)], [_pod("b", 2)]], [[Expired(410, "Expired", "too old")], []])
    store, changes = await _play(server)
    assert ("a@1", None) in changes
    assert [pod.key.name for pod in store.all()] == ["b"]


async def test_an_object_written_during_a_list_is_not_dropped() -> None:
    server = ScriptedServer([[_pod("a", 1)], [_pod("a", 1)]], [[Expired(410, "Expired", "too old")]])
    told: list[Pod | None] = []
    store = Reflector(cast("KubeClient", server), PODS, project=_project, on_change=lambda _, new: told.append(new))
    server.before_list = lambda: store.put(_pod("ours", 101))  # the lists are of version 100
    task = asyncio.create_task(store.run())
    await until(lambda: len(server.watched_from) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sorted(pod.key.name for pod in store.all()) == ["a", "ours"]
    assert None not in told


async def test_a_long_list_comes_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    pods = [_pod(name, 1) for name in "abcde"]
    server = ScriptedServer([pods, pods[:4]], [[Expired(410, "Expired", "too old")], []])
    store, changes = await _play(server)
    assert [new for old, new in changes[:5] if old is None] == ["a@1", "b@1", "c@1", "d@1", "e@1"]
    assert [pod.key.name for pod in store.all()] == ["a", "b", "c", "d"]
    assert [old for old, new in changes if new is None] == ["e@1"]


async def test_a_list_that_expires_between_pages_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    pods = [_pod(name, 1) for name in "abc"]
    server = ScriptedServer([pods, pods], [[]])
    calls = iter([None, Expired(410, "Expired", "the continue parameter is too old")])

    def expire() -> None:
        if error := next(calls, None):
            raise error

    server.before_list = expire
    store, changes = await _play(server)
    assert [new for _, new in changes] == ["a@1", "b@1", "c@1"]
    assert sorted(pod.key.name for pod in store.all()) == ["a", "b", "c"]


async def test_a_cut_watch_lists_again() -> None:
    server = ScriptedServer([[_pod("a", 1)], [_pod("a", 5)]], [[Unreachable("cut off")], []])
    _, changes = await _play(server)
    assert ("a@1", "a@5") in changes


async def test_a_watch_that_ends_continues_from_the_last_bookmark() -> None:
    server = ScriptedServer([[]], [[("BOOKMARK", _pod("", 150))], []])
    await _play(server)
    assert server.watched_from[:2] == ["100", "150"]


async def test_groups_follow_the_objects() -> None:
    server = ScriptedServer(
        [[_pod("a", 1), _pod("b", 2)]], [[("MODIFIED", _pod("a", 3, "h")), ("DELETED", _pod("b", 4))]]
    )
    store, _ = await _play(server)
    assert [pod.key.name for pod in store.in_group("h")] == ["a"]
    assert store.in_group("g") == []
    assert list(store._groups) == ["h"]


async def test_a_late_answer_does_not_restore_a_deleted_object() -> None:
    """The watch reported the deletion before the answer to the write arrived: nothing would ever delete it again."""
    store, _ = await _play(ScriptedServer([[_pod("a", 1)]], [[("DELETED", _pod("a", 103)), ("ADDED", _pod("b", 104))]]))
    assert store.put(_pod("a", 102)) == _project(_pod("a", 102))
    assert store.get(Key("n", "a")) is None
    store.put(_pod("c", 105))
    assert store.get(Key("n", "c")) is not None


def test_a_write_of_the_process_is_not_overwritten_by_older_events() -> None:
    changes: list[Any] = []
    store = Reflector(
        cast("KubeClient", None), PODS, project=_project, on_change=lambda *change: changes.append(change)
    )
    store.put(_pod("a", 9))
    store._change(_project(_pod("a", 8)))
    assert store.get(Key("n", "a")) == _project(_pod("a", 9))
