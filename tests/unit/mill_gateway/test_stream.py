"""A stream sends every event once, from the newest status it can see, and ends with `done`."""

import asyncio
import json
from typing import Any, cast

from mill_gateway.objects.deployments import Deployment
from mill_gateway.services.rollouts import RolloutQuery
from mill_gateway.stores import Store
from mill_gateway.stores.kinds import DEPLOYMENTS
from mill_gateway.streams.rollout import follow
from mill_kube.client import KubeClient
from mill_objects.key import Key

KEY = Key("default", "mill")
UID = "0123456789abcdef"


def _resource(version: int, transitions: list[dict[str, Any]], *, finished: bool = False) -> dict[str, Any]:
    rollout: dict[str, Any] = {"id": "1", "startedAt": "2026-01-01T00:00:00.000Z"}
    if finished:
        rollout |= {"finishedAt": "2026-01-01T00:00:12.400Z", "success": True}
    return {
        "metadata": {
            "name": "mill",
            "namespace": "default",
            "uid": UID,
            "generation": 1,
            "resourceVersion": str(version),
        },
        "spec": {},
        "status": {"rollout": rollout, "services": [{"name": "web", "transitions": transitions}]},
    }


SCHEDULED = {"seq": 1, "at": "2026-01-01T00:00:01.000Z", "phase": "scheduled", "node": "node-1"}
HEALTHY = {"seq": 2, "at": "2026-01-01T00:00:02.000Z", "phase": "healthy"}
EVENTS = [
    b'event: progress\r\ndata: {"service": "web", "phase": "scheduled", "node": "node-1"}\r\nid: 01234567.1.1\r\n\r\n',
    b'event: progress\r\ndata: {"service": "web", "phase": "healthy"}\r\nid: 01234567.1.2\r\n\r\n',
    b'event: done\r\ndata: {"elapsed": 12.4, "success": true}\r\nid: 01234567.1.end\r\n\r\n',
]


def _store() -> Store[Deployment]:
    return Store(cast("KubeClient", None), DEPLOYMENTS)


def _change(store: Store[Deployment], resource: dict[str, Any]) -> None:
    """Do what the watch does."""
    store.reflector._change(store.reflector._project(resource))


async def test_a_late_reader_gets_everything() -> None:
    store = _store()
    _change(store, _resource(1, [SCHEDULED, HEALTHY], finished=True))
    assert [each async for each in follow(store, RolloutQuery(KEY, UID, "1"))] == EVENTS


async def test_a_resumed_reader_gets_the_rest() -> None:
    store = _store()
    _change(store, _resource(1, [SCHEDULED, HEALTHY], finished=True))
    assert [each async for each in follow(store, RolloutQuery(KEY, UID, "1", after=1))] == EVENTS[1:]


async def test_a_waiting_reader_gets_each_event_once_however_the_status_grows() -> None:
    store = _store()
    got: list[bytes] = []

    async def read() -> None:
        async for each in follow(store, RolloutQuery(KEY, UID, "1")):
            got.append(each)  # noqa: PERF401 - the list must grow while the stream is open

    _change(store, _resource(1, []))
    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    _change(store, _resource(2, [SCHEDULED]))
    _change(store, _resource(3, [SCHEDULED, HEALTHY]))
    await asyncio.sleep(0.01)
    assert got == EVENTS[:2]
    _change(store, _resource(4, [SCHEDULED, HEALTHY], finished=True))
    await asyncio.wait_for(reader, 1)
    assert got == EVENTS
    assert len(store.subscriptions) == 0


async def test_a_reader_is_told_once_that_its_rollout_is_paused() -> None:
    store = _store()
    got: list[bytes] = []

    async def read() -> None:
        async for each in follow(store, RolloutQuery(KEY, UID, "1")):
            got.append(each)  # noqa: PERF401 - the list must grow while the stream is open

    paused = _resource(1, [SCHEDULED])
    paused["metadata"]["annotations"] = {"mill.dev/paused": "true"}
    paused["spec"] = {"services": [{"name": "web"}]}
    _change(store, paused)
    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    again = {**paused, "metadata": {**paused["metadata"], "resourceVersion": "2"}}
    _change(store, again)
    await asyncio.sleep(0.01)
    data = b'{"service": "web", "phase": "waiting", "code": "Paused", "message": "paused"}'
    assert got == [EVENTS[0], b"event: progress\r\ndata: " + data + b"\r\n\r\n"]
    _change(store, _resource(3, [SCHEDULED, HEALTHY], finished=True))
    await asyncio.wait_for(reader, 1)
    assert got[2:] == EVENTS[1:]


async def test_a_deleted_deployment_ends_the_stream() -> None:
    store = _store()
    _change(store, _resource(1, [SCHEDULED]))
    events = [each async for each in follow(store, RolloutQuery(KEY, "another-uid", "1"))]
    assert b"the deployment was deleted" in events[0]
    assert events[1].startswith(b"event: done")


BEFORE = {"name": "migrate", "before": ["web"]}
AFTER = {"name": "warm-up", "after": ["web"]}


def _with_tasks(resource: dict[str, Any], **states: str) -> dict[str, Any]:
    tasks = [
        {"name": name.replace("_", "-"), "version": "abc", "rollout": "1", "run": f"{name}-1", "state": state}
        for name, state in states.items()
    ]
    return resource | {"spec": {"tasks": [BEFORE, AFTER]}, "status": {**resource["status"], "rolloutTasks": tasks}}


def _told(events: list[bytes]) -> list[str]:
    """The name of each event, of a task with its name and state."""
    found = []
    for event in events:
        name, data = (line.partition(b": ")[2].decode() for line in event.split(b"\r\n")[:2])
        told = json.loads(data)
        found.append(f"{told['task']} {told['state']}" if name == "task" else told.get("phase", name))
    return found


async def _received(store: Store[Deployment], **query: Any) -> list[str]:
    return _told([each async for each in follow(store, RolloutQuery(KEY, UID, "1", **query))])


async def test_tasks_are_reported_before_the_services_that_wait_and_after_those_awaited() -> None:
    store = _store()
    done = _resource(1, [SCHEDULED, HEALTHY], finished=True)
    _change(store, _with_tasks(done, migrate="Succeeded", warm_up="Succeeded"))
    told = ["migrate succeeded", "scheduled", "healthy", "warm-up succeeded", "done"]
    assert await _received(store, full=True) == told
    assert await _received(store, full=True, after=2) == ["migrate succeeded", "warm-up succeeded", "done"]
    assert await _received(store, full=True, service="web") == ["migrate succeeded", "scheduled", "healthy", "done"]
    assert await _received(store, full=True, service="other") == ["done"]
    assert await _received(store) == ["scheduled", "healthy", "done"], "clients of the original know no tasks"


async def test_a_state_of_a_task_is_sent_once() -> None:
    store, told = _store(), []
    _change(store, _with_tasks(_resource(1, []), migrate="Running"))
    stream = follow(store, RolloutQuery(KEY, UID, "1", full=True))
    told.append(await anext(stream))
    rest = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    _change(store, _with_tasks(_resource(2, [SCHEDULED]), migrate="Running"))
    told.append(await rest)
    _change(store, _with_tasks(_resource(3, [SCHEDULED, HEALTHY], finished=True), migrate="Succeeded"))
    told += [each async for each in stream]
    assert _told(told) == ["migrate running", "scheduled", "migrate succeeded", "healthy", "done"]
