"""Passes that fail by a fault of ours, one after the other: the status says so, and nobody else has to do with it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from mill_api.events import rollout_events
from mill_api.status import MillDeploymentStatus, Rollout, ServiceStatus, State, Transition
from mill_api.status_reading import read_status
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, Expired, NotFound, Unreachable, WatchStalled, WriteFenced
from mill_kube.resources import EVENTS, MILL_DEPLOYMENTS, Resource
from mill_objects.key import Key
from mill_operator import clock
from mill_operator.controller import Controller, ControllerOptions
from mill_operator.core import reconcile, timestamps
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.rollout.internal_error import (
    REPORTED_AFTER,
    REPORTED_FAILURES,
    ROLLOUT_ENDS_AFTER,
    first_failure,
    internal_error_status,
)
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.internal_errors import internal_error_in
from mill_operator.metrics import Metrics
from mill_operator.publisher import Publisher
from tests.unit.virtual_time import now, virtual_time

from .kstatus import kstatus

BAD, GOOD = Key("default", "bad"), Key("default", "good")
NOW = timestamps.parse("2026-01-31T12:00:00.000Z")
FAULT = InternalError("ValueError", "0123456789")


def resource(name: str, *, generation: int = 1, status: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": f"{name}-uid-0123",
        "resourceVersion": str(9 + generation),
        "creationTimestamp": "2026-01-31T12:00:00Z",
        "generation": generation,
    }
    # Of no replicas: it is healthy as soon as its Deployment is there.
    spec = {"services": [{"name": f"web-{name}", "image": "web:1", "replicas": 0}]}
    return {"metadata": metadata, "spec": spec, "status": status or {"observedGeneration": -1}}


class Server:
    """Has two MillDeployments. Its watches say nothing."""

    server_ahead = timedelta(0)

    def __init__(self) -> None:
        self.resources = {BAD.name: resource(BAD.name), GOOD.name: resource(GOOD.name)}
        self.statuses: dict[str, list[dict[str, Any]]] = {BAD.name: [], GOOD.name: []}
        self.events: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.refuses: Callable[[Resource, str], Exception | None] = lambda _resource, _name: None
        """What a write of an object of that name fails with."""

    async def server_version(self) -> dict[str, Any]:
        return {"major": "1", "minor": "35"}

    async def list(self, resource: Resource, *_: Any, **__: Any) -> dict[str, Any]:
        items = list(self.resources.values()) if resource is MILL_DEPLOYMENTS else []
        return {"items": items, "metadata": {"resourceVersion": "10"}}

    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    async def get(self, resource: Resource, _namespace: str, name: str) -> dict[str, Any]:
        if resource is MILL_DEPLOYMENTS:
            return self.resources[name]
        raise NotFound(404, "NotFound", "not found")

    async def create(self, resource: Resource, _namespace: str, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        if resource is EVENTS:
            self.events.append(body)
        return body

    async def apply(self, resource: Resource, _namespace: str, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        deployment = body["metadata"]["labels"]["mill.dev/deployment"]
        if error := self.refuses(resource, deployment):
            raise error
        meta = {
            **body["metadata"],
            "uid": f"{deployment} {resource.kind}",
            "resourceVersion": "11",
            "creationTimestamp": "2026-01-31T12:00:01Z",
            "generation": 1,
        }
        return {**body, "metadata": meta}

    async def delete(self, resource: Resource, _namespace: str, name: str, **_: Any) -> dict[str, Any]:
        self.deleted.append(f"{resource.kind} {name}")
        return {"kind": "Status"}

    async def replace_status(
        self, resource: Resource, _namespace: str, name: str, status: Any, **_: Any
    ) -> dict[str, Any]:
        if error := self.refuses(resource, name):
            raise error
        self.statuses[name].append(status)
        return {}

    def status(self, key: Key) -> MillDeploymentStatus:
        return MillDeploymentStatus.model_validate(self.statuses[key.name][-1])

    def reasons(self, key: Key) -> Sequence[str]:
        return [each["reason"] for each in self.events if each["involvedObject"]["name"] == key.name]


class Operator:
    """A controller in virtual time."""

    def __init__(self, server: Server) -> None:
        self.given_up: list[str] = []
        self.metrics = Metrics()
        client = cast("KubeClient", server)
        self.controller = Controller(
            client, ControllerOptions(workers=1), metrics=self.metrics, give_up=self.given_up.append
        )
        self.controller.start()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"mill_operator_{name}", labels)


class Faulty:
    """What fails in the passes over one MillDeployment, as long as it is switched on."""

    def __init__(self) -> None:
        self.on = True
        self.calls = 0

    def __call__(self, concerned: bool) -> None:
        if concerned and self.on:
            self.calls += 1
            raise OverflowError("somebody's own words: hunter2")


@pytest.fixture(autouse=True)
def times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the queue and our clock go as the loop's time does."""
    real = time.monotonic

    def virtual() -> float:
        try:
            return now()
        except RuntimeError:  # no loop runs
            return real()

    monkeypatch.setattr(time, "monotonic", virtual)
    monkeypatch.setattr(clock, "_uptime", virtual)


@pytest.fixture
def server() -> Server:
    return Server()


def advance_fails(monkeypatch: pytest.MonkeyPatch) -> Faulty:
    faulty, advance = Faulty(), reconcile.advance

    def broken(status: Any, observations: Any, **arguments: Any) -> Any:
        faulty(any(each.image == "web:bad" for each in observations))
        return advance(status, observations, **arguments)

    monkeypatch.setattr(reconcile, "advance", broken)
    return faulty


def publisher_fails(monkeypatch: pytest.MonkeyPatch) -> Faulty:
    faulty, write = Faulty(), Publisher._write

    async def broken(self: Publisher, key: Key, memory: Any, change: StatusChange) -> bool:
        faulty(key == BAD)
        return await write(self, key, memory, change)

    monkeypatch.setattr(Publisher, "_write", broken)
    return faulty


def spec_fails(monkeypatch: pytest.MonkeyPatch) -> Faulty:
    """What `timeout: 99999999999h` was once, and anything else that a rule meets in a spec."""
    from mill_operator import memory

    faulty, problems = Faulty(), memory.problems

    def broken(spec: Any) -> Any:
        faulty(any(each.image == "web:bad" for each in spec.services))
        return problems(spec)

    monkeypatch.setattr(memory, "problems", broken)
    return faulty


@pytest.fixture(params=[advance_fails, publisher_fails, spec_fails], ids=lambda make: make.__name__)
def faulty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, server: Server) -> Any:
    server.resources[BAD.name]["spec"]["services"][0]["image"] = "web:bad"
    return request.param(monkeypatch)


@virtual_time
async def test_it_is_told_after_three_passes_and_once(server: Server, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(1)
    assert faulty.calls >= REPORTED_FAILURES
    (said,) = server.statuses[BAD.name]
    status = server.status(BAD)
    assert kstatus(1, status) == "Failed"
    assert {each.type: each.status for each in status.conditions} == {"Ready": "False", "Stalled": "True"}
    assert {each.reason for each in status.conditions} == {"InternalError"}
    assert "Report this error" in status.conditions[0].message
    assert "OverflowError, id " in status.conditions[0].message
    assert "hunter2" not in str(said) + str(server.events)
    assert server.reasons(BAD) == ["InternalError"]
    await asyncio.sleep(500)
    assert len(server.statuses[BAD.name]) == 1, "no write without a change"
    assert server.reasons(BAD) == ["InternalError"]
    assert faulty.calls > 15, "the operator keeps retrying"
    assert operator.metric("faults_total", part="pass") == faulty.calls
    assert operator.metric("reconciles_total", result="error") == faulty.calls
    assert operator.given_up == []
    await operator.controller.stop()


@virtual_time
async def test_others_have_nothing_to_do_with_it(server: Server, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(2)
    assert kstatus(1, server.status(GOOD)) == "Current"
    assert server.reasons(GOOD) == ["RolloutStarted", "Healthy", "RolloutSucceeded"]
    await operator.controller.stop()
    assert faulty.calls


@virtual_time
async def test_after_ten_minutes_the_rollout_ends_and_that_is_final(server: Server, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(ROLLOUT_ENDS_AFTER.total_seconds() + 31)
    status = server.status(BAD)
    assert len(server.statuses[BAD.name]) == 2
    assert kstatus(1, status) == "Failed"
    events = rollout_events("bad-uid-0123", "1", {"generation": 1}, status)
    assert [each.name for each in events] == ["failed", "done"]
    assert "internal error of mill (OverflowError, id " in events[0].data["reason"]
    assert events[-1].data["success"] is False
    assert server.reasons(BAD) == ["InternalError", "RolloutFailed"]
    assert operator.metric("rollouts_total", result="failed") == 1
    faulty.on = False
    await asyncio.sleep(31)
    status = server.status(BAD)
    assert kstatus(1, status) == "Current", "a pass has succeeded"
    assert rollout_events("bad-uid-0123", "1", {"generation": 1}, status) == events, "what was said stays said"
    assert operator.metric("rollouts_total", result="failed") == 1
    assert operator.metric("rollouts_total", result="succeeded") == 1  # the good one's
    written = len(server.statuses[BAD.name])
    operator.controller.wake(BAD)
    await asyncio.sleep(10)
    assert len(server.statuses[BAD.name]) == written
    await operator.controller.stop()


@virtual_time
async def test_it_goes_away_when_a_pass_succeeds(server: Server, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(60)
    assert server.status(BAD).conditions[0].reason == "InternalError"
    faulty.on = False
    await asyncio.sleep(31)
    status = server.status(BAD)
    assert kstatus(1, status) == "Current"
    assert [each.name for each in rollout_events("bad-uid-0123", "1", {"generation": 1}, status)] == [
        "progress", "done",
    ]  # fmt: skip
    await operator.controller.stop()


@virtual_time
async def test_another_generation_is_told_of_too_and_has_its_own_ten_minutes(server: Server, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(550)
    body = resource(BAD.name, generation=2)
    body["spec"]["services"][0]["image"] = "web:bad"
    operator.controller.caches.mill_deployments.put(body)
    operator.controller.wake(BAD)
    await asyncio.sleep(100)
    status = server.status(BAD)
    assert kstatus(2, status) == "Failed"
    assert status.rollout is None or status.rollout.finished_at is None
    await asyncio.sleep(550)
    status = server.status(BAD)
    assert status.rollout is not None
    assert (status.rollout.id, status.rollout.success) == ("2", False)
    await operator.controller.stop()


@virtual_time
async def test_a_stop_leaves_what_was_told(server: Server, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(60)
    await operator.controller.stop()
    assert kstatus(1, server.status(BAD)) == "Failed"
    assert faulty.calls


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("nobody answers"),
        WriteFenced("withheld"),
        ApiError(500, "InternalError", "etcd"),
        ApiError(503, "ServiceUnavailable", "no"),
        ApiError(429, "TooManyRequests", "later"),
        Conflict(409, "Conflict", "others were faster"),
    ],
    ids=repr,
)
@virtual_time
async def test_an_api_server_that_is_away_is_no_fault(server: Server, error: Exception) -> None:
    server.refuses = lambda resource, name: error if resource is MILL_DEPLOYMENTS and name == BAD.name else None
    operator = Operator(server)
    await asyncio.sleep(ROLLOUT_ENDS_AFTER.total_seconds() + 60)
    assert server.reasons(BAD) == []
    server.refuses = lambda _resource, _name: None
    await asyncio.sleep(60)
    assert kstatus(1, server.status(BAD)) == "Current"
    assert "InternalError" not in str(server.statuses[BAD.name])
    await operator.controller.stop()


@virtual_time
async def test_a_request_that_the_api_server_never_takes_is_told(server: Server) -> None:
    server.refuses = lambda resource, name: (
        ApiError(415, "UnsupportedMediaType", "hunter2")
        if resource is not MILL_DEPLOYMENTS and name == BAD.name
        else None
    )
    operator = Operator(server)
    await asyncio.sleep(1)
    assert "internal error of mill (ApiError 415, id " in server.status(BAD).conditions[0].message
    assert "hunter2" not in str(server.statuses)
    assert operator.metric("reconciles_total", result="api_error") is not None
    assert kstatus(1, server.status(GOOD)) == "Current"
    await operator.controller.stop()


@virtual_time
async def test_the_telling_itself_ends_no_worker(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.resources[BAD.name]["spec"]["services"][0]["image"] = "web:bad"
    advance_fails(monkeypatch)
    server.refuses = lambda resource, name: (
        ApiError(422, "Invalid", "no") if resource is MILL_DEPLOYMENTS and name == BAD.name else None
    )
    operator = Operator(server)
    await asyncio.sleep(60)
    assert server.statuses[BAD.name] == []
    monkeypatch.setattr("mill_operator.internal_errors.internal_error_status", lambda *_, **__: 1 / 0)
    await asyncio.sleep(60)
    assert (operator.metric("faults_total", part="telling") or 0) > 0
    assert kstatus(1, server.status(GOOD)) == "Current"
    assert operator.given_up == []
    await operator.controller.stop()


@pytest.mark.parametrize("stored", [{"services": "no"}, {"rollout": {"id": 7}}, {"conditions": [{}]}, {"healthy": []}])
@virtual_time
async def test_a_status_that_cannot_be_read_is_told_over(
    server: Server, monkeypatch: pytest.MonkeyPatch, stored: dict[str, Any]
) -> None:
    server.resources[BAD.name] = resource(BAD.name, status=stored)
    server.resources[BAD.name]["spec"]["services"][0]["image"] = "web:bad"
    faulty = advance_fails(monkeypatch)
    operator = Operator(server)
    await asyncio.sleep(1)
    assert kstatus(1, server.status(BAD)) == "Failed"
    faulty.on = False
    await asyncio.sleep(31)
    assert kstatus(1, server.status(BAD)) == "Current"
    await operator.controller.stop()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("hunter2"), "ValueError"),
        (KeyError("hunter2"), "KeyError"),
        (RecursionError(), "RecursionError"),
        (ApiError(422, "Invalid", "hunter2"), "ApiError 422"),
        (ApiError(403, "Forbidden", "hunter2"), "ApiError 403"),
        (ApiError(413, "", ""), "ApiError 413"),
        (NotFound(404, "NotFound", "no such kind"), "NotFound 404"),
        (ApiError(401, "Unauthorized", ""), None),
        (ApiError(408, "Timeout", ""), None),
        (ApiError(429, "TooManyRequests", ""), None),
        (ApiError(500, "InternalError", ""), None),
        (ApiError(504, "Timeout", ""), None),
        (Conflict(409, "Conflict", ""), None),
        (Expired(410, "Gone", ""), None),
        (Unreachable(""), None),
        (WatchStalled(""), None),
        (WriteFenced(""), None),
        (ApiError(403, "Forbidden", "", {"causes": [{"reason": "NamespaceTerminating"}]}), None),
        (NotFound(404, "NotFound", "", {"kind": "namespaces"}), None),
    ],
    ids=repr,
)
def test_what_is_a_fault(error: Exception, kind: str | None) -> None:
    found = internal_error_in(error)
    assert (found.kind if found else None) == kind
    assert "hunter2" not in str(found)


def test_a_fault_has_the_same_id_wherever_it_is_met_and_another_one_has_another() -> None:
    def at(value: Any) -> InternalError:
        try:
            if value:
                int(value)
            else:
                float("no number")
        except ValueError as error:
            return internal_error_of(error)
        raise AssertionError(value)

    assert at("a") == at("b")
    assert at("a") != at("")
    assert "Traceback" in at("a").details


def test_a_row_is_told_of_after_so_many_or_so_long() -> None:
    row = first_failure("1", NOW)
    assert not row.is_reported(NOW)
    assert row.is_reported(NOW + REPORTED_AFTER)
    row = row.with_failure("1", NOW)
    assert not row.is_reported(NOW)
    assert row.with_failure("1", NOW).is_reported(NOW)
    assert row.ends_rollout(NOW + ROLLOUT_ENDS_AFTER)
    later = row.with_failure("2", NOW + ROLLOUT_ENDS_AFTER)
    assert not later.ends_rollout(NOW + ROLLOUT_ENDS_AFTER), "another rollout has its own time"
    assert later.is_reported(NOW + ROLLOUT_ENDS_AFTER)


RUNNING = Rollout(id="4", started_at=timestamps.render(NOW))
STEP = Transition(seq=1, at=timestamps.render(NOW), phase="healthy")
WEB = ServiceStatus(name="web", state=State.HEALTHY, transitions=[STEP])


def told(status: MillDeploymentStatus, *, rollout: str = "4", end: bool = False) -> MillDeploymentStatus:
    return internal_error_status(
        status, FAULT, generation=4, rollout_id=rollout, end=end, now=NOW + timedelta(minutes=10)
    )


def test_what_else_is_told_stays() -> None:
    before = MillDeploymentStatus(observed_generation=3, rollout=RUNNING, services=[WEB], healthy="1/1")
    after = told(before)
    assert kstatus(4, after) == "Failed"
    assert (after.rollout, after.services, after.healthy) == (RUNNING, [WEB], "1/1")
    assert told(after) == after, "said again it is the same"
    ended = told(before, end=True)
    assert ended.rollout is not None
    assert ended.rollout.finished_at == timestamps.render(NOW + timedelta(minutes=10))
    assert ended.services == [WEB]
    assert told(ended, end=True) == ended
    done = rollout_events("0123456789", "4", {"generation": 4}, ended)
    assert [(each.name, each.seq) for each in done] == [("progress", 1), ("failed", 1_000_000), ("done", 1_000_001)]
    assert done[-1].data == {"elapsed": 600.0, "success": False}


def test_a_service_that_is_followed_alone_has_its_own_end() -> None:
    other = WEB.model_copy(update={"name": "other", "state": State.PENDING, "transitions": []})
    ended = told(MillDeploymentStatus(rollout=RUNNING, services=[WEB, other]), end=True)
    names = {
        only: [
            (each.name, each.data.get("success")) for each in rollout_events("0123456789", "4", {}, ended, only=only)
        ]
        for only in ("web", "other")
    }
    assert names == {
        "web": [("progress", None), ("done", True)],
        "other": [("failed", None), ("done", False)],
    }


def test_a_rollout_that_never_began_ends_too_and_the_one_before_is_history() -> None:
    before = MillDeploymentStatus(observed_generation=3, rollout=RUNNING, services=[WEB])
    after = told(before, rollout="5", end=True)
    assert after.rollout is not None
    assert (after.rollout.id, after.rollout.success) == ("5", False)
    assert [(each.id, each.superseded) for each in after.history] == [("4", True)]
    assert after.services[0].transitions == []
    history = told(after, rollout="6", end=True)
    events = rollout_events("0123456789", "5", {"generation": 6}, history)
    assert [(each.name, each.seq) for each in events] == [("failed", 1_000_000), ("done", 1_000_001)]
    assert read_status(history.model_dump(mode="json", by_alias=True)) == history
