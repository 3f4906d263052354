"""Reconciliations that fail again and again by an internal error: the status reports it, others are not affected."""

import asyncio
import time
from typing import Any

import pytest

from mill_api.events import rollout_events
from mill_api.status import MillDeploymentStatus
from mill_kube.connection import Request
from mill_kube.errors import ApiError, Conflict, Expired, NotFound, Unreachable, WatchStalled, WriteFenced
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator import clock
from mill_operator.controller import Controller, ControllerOptions
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.reconcile import next_status
from mill_operator.core.rollout.internal_error import REPORTED_FAILURES, ROLLOUT_ENDS_AFTER
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.internal_errors import internal_error_in
from mill_operator.metrics import Metrics
from mill_operator.publisher import Publisher
from tests.support.apiserver import ApiServer, InMemoryClient
from tests.support.kstatus_rules import kstatus
from tests.support.reconciling import created_events, written_statuses
from tests.unit.virtual_time import now, virtual_time

BAD, GOOD = Key("default", "bad"), Key("default", "good")
NOW = timestamps.parse("2026-01-31T12:00:00.000Z")
FAULT = InternalError("ValueError", "0123456789")


def put(server: ApiServer, key: Key, *, image: str = "web:1", generation: int = 1, status: Json | None = None) -> None:
    """Store a MillDeployment of one service; without replicas it is healthy once its Deployment exists."""
    metadata = {
        "name": key.name,
        "namespace": key.namespace,
        "uid": f"{key.name}-uid-0123",
        "creationTimestamp": "2026-01-31T12:00:00Z",
        "generation": generation,
    }
    spec = {"services": [{"name": f"web-{key.name}", "image": image, "replicas": 0}]}
    found = server.find(MILL_DEPLOYMENTS, *key) or {"status": {"observedGeneration": -1}}
    server.put(MILL_DEPLOYMENTS, {"metadata": metadata, "spec": spec, "status": status or found["status"]})


def stored_status(server: ApiServer, key: Key) -> MillDeploymentStatus:
    stored = server.find(MILL_DEPLOYMENTS, *key)
    assert stored is not None
    return MillDeploymentStatus.model_validate(stored["status"])


def reasons(server: ApiServer, key: Key) -> list[str]:
    return [each["reason"] for each in created_events(server, key.name)]


def is_status_of_bad(request: Request) -> bool:
    return request.subresource == "status" and request.name == BAD.name


class Operator:
    """A controller in virtual time."""

    def __init__(self, server: ApiServer) -> None:
        self.given_up: list[str] = []
        self.metrics = Metrics()
        client, options = InMemoryClient(server), ControllerOptions(workers=1)
        self.controller = Controller(client, options, metrics=self.metrics, give_up=self.given_up.append)
        self.controller.start()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"mill_operator_{name}", labels)


class Faulty:
    """What fails in the reconciliations of one MillDeployment, as long as it is switched on."""

    def __init__(self) -> None:
        self.on = True
        self.calls = 0

    def __call__(self, concerned: bool) -> None:
        if concerned and self.on:
            self.calls += 1
            raise OverflowError("foreign text: hunter2")


@pytest.fixture(autouse=True)
def times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the queue and the operator's clock follow the time of the loop."""
    real = time.monotonic

    def virtual() -> float:
        try:
            return now()
        except RuntimeError:  # no loop runs
            return real()

    monkeypatch.setattr(time, "monotonic", virtual)
    monkeypatch.setattr(clock, "_uptime", virtual)


@pytest.fixture
def server() -> ApiServer:
    server = ApiServer()
    put(server, BAD)
    put(server, GOOD)
    return server


def advance_fails(monkeypatch: pytest.MonkeyPatch) -> Faulty:
    faulty, advance = Faulty(), next_status.advance

    def broken(status: Any, observations: Any, **arguments: Any) -> Any:
        faulty(any(each.image == "web:bad" for each in observations))
        return advance(status, observations, **arguments)

    monkeypatch.setattr(next_status, "advance", broken)
    return faulty


def publisher_fails(monkeypatch: pytest.MonkeyPatch) -> Faulty:
    faulty, write = Faulty(), Publisher._write

    async def broken(self: Publisher, key: Key, memory: Any, change: StatusChange) -> bool:
        faulty(key == BAD)
        return await write(self, key, memory, change)

    monkeypatch.setattr(Publisher, "_write", broken)
    return faulty


def spec_fails(monkeypatch: pytest.MonkeyPatch) -> Faulty:
    """As a rule fails for a spec that it cannot handle."""
    from mill_operator import memory

    faulty, problems = Faulty(), memory.problems

    def broken(spec: Any) -> Any:
        faulty(any(each.image == "web:bad" for each in spec.services))
        return problems(spec)

    monkeypatch.setattr(memory, "problems", broken)
    return faulty


@pytest.fixture(params=[advance_fails, publisher_fails, spec_fails], ids=lambda make: make.__name__)
def faulty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, server: ApiServer) -> Any:
    put(server, BAD, image="web:bad")
    return request.param(monkeypatch)


@virtual_time
async def test_an_internal_error_is_reported_once_after_three_reconciliations(
    server: ApiServer, faulty: Faulty
) -> None:
    operator = Operator(server)
    await asyncio.sleep(1)
    assert faulty.calls >= REPORTED_FAILURES
    status = stored_status(server, BAD)
    assert kstatus(1, status) == "Failed"
    assert {each.type: each.status for each in status.conditions} == {"Ready": "False", "Stalled": "True"}
    assert {each.reason for each in status.conditions} == {"InternalError"}
    assert "Report this error" in (status.summary or "")
    assert "OverflowError, id " in status.conditions[0].message
    assert "hunter2" not in str(server.answers)
    assert reasons(server, BAD) == ["InternalError"]
    await asyncio.sleep(500)
    assert len(written_statuses(server, BAD.name)) == 1, "no write without a change"
    assert reasons(server, BAD) == ["InternalError"]
    assert faulty.calls > 15, "the operator keeps retrying"
    assert operator.metric("faults_total", part="pass") == faulty.calls
    assert operator.metric("reconciles_total", result="error") == faulty.calls
    assert operator.given_up == []
    await operator.controller.stop()


@virtual_time
async def test_other_resources_are_reconciled(server: ApiServer, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(2)
    assert kstatus(1, stored_status(server, GOOD)) == "Current"
    assert reasons(server, GOOD) == ["RolloutStarted", "Healthy", "RolloutSucceeded"]
    await operator.controller.stop()
    assert faulty.calls


@virtual_time
async def test_after_ten_minutes_the_rollout_fails_for_good(server: ApiServer, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(ROLLOUT_ENDS_AFTER.total_seconds() + 31)
    status = stored_status(server, BAD)
    assert len(written_statuses(server, BAD.name)) == 2
    assert kstatus(1, status) == "Failed"
    events = rollout_events("bad-uid-0123", "1", {"generation": 1}, status)
    assert [each.name for each in events] == ["failed", "done"]
    assert "internal error of mill (OverflowError, id " in events[0].data["reason"]
    assert events[-1].data["success"] is False
    assert reasons(server, BAD) == ["InternalError", "RolloutFailed"]
    assert operator.metric("rollouts_total", result="failed") == 1
    faulty.on = False
    await asyncio.sleep(31)
    status = stored_status(server, BAD)
    assert kstatus(1, status) == "Current", "a reconciliation has succeeded"
    assert rollout_events("bad-uid-0123", "1", {"generation": 1}, status) == events, (
        "events that were reported do not change"
    )
    assert operator.metric("rollouts_total", result="failed") == 1
    assert operator.metric("rollouts_total", result="succeeded") == 1  # the good one's
    written = len(written_statuses(server, BAD.name))
    operator.controller.wake(BAD)
    await asyncio.sleep(10)
    assert len(written_statuses(server, BAD.name)) == written
    await operator.controller.stop()


@virtual_time
async def test_the_report_ends_when_a_reconciliation_succeeds(server: ApiServer, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(60)
    assert stored_status(server, BAD).conditions[0].reason == "InternalError"
    faulty.on = False
    await asyncio.sleep(31)
    status = stored_status(server, BAD)
    assert kstatus(1, status) == "Current"
    assert [each.name for each in rollout_events("bad-uid-0123", "1", {"generation": 1}, status)] == [
        "progress", "done",
    ]  # fmt: skip
    await operator.controller.stop()


@virtual_time
async def test_another_generation_is_reported_too_and_has_its_own_ten_minutes(
    server: ApiServer, faulty: Faulty
) -> None:
    operator = Operator(server)
    await asyncio.sleep(550)
    put(server, BAD, image="web:bad", generation=2)
    await asyncio.sleep(100)
    status = stored_status(server, BAD)
    assert kstatus(2, status) == "Failed"
    assert status.rollout is None or status.rollout.finished_at is None
    await asyncio.sleep(550)
    status = stored_status(server, BAD)
    assert status.rollout is not None
    assert (status.rollout.id, status.rollout.success) == ("2", False)
    await operator.controller.stop()


@virtual_time
async def test_a_stop_keeps_the_report(server: ApiServer, faulty: Faulty) -> None:
    operator = Operator(server)
    await asyncio.sleep(60)
    await operator.controller.stop()
    assert kstatus(1, stored_status(server, BAD)) == "Failed"
    assert faulty.calls


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("connection refused"),
        WriteFenced("withheld"),
        ApiError(500, "InternalError", "etcd"),
        ApiError(503, "ServiceUnavailable", "no"),
        ApiError(429, "TooManyRequests", "later"),
        Conflict(409, "Conflict", "the object has been modified"),
    ],
    ids=repr,
)
@virtual_time
async def test_an_api_server_that_does_not_answer_is_no_internal_error(server: ApiServer, error: Exception) -> None:
    fault = server.add_fault("patch", when=is_status_of_bad, error=error)
    operator = Operator(server)
    await asyncio.sleep(ROLLOUT_ENDS_AFTER.total_seconds() + 60)
    assert reasons(server, BAD) == []
    server.faults.remove(fault)
    await asyncio.sleep(60)
    assert kstatus(1, stored_status(server, BAD)) == "Current"
    assert "InternalError" not in str(written_statuses(server, BAD.name))
    await operator.controller.stop()


@virtual_time
async def test_a_request_that_the_api_server_never_accepts_is_reported(server: ApiServer) -> None:
    error = ApiError(415, "UnsupportedMediaType", "hunter2")
    server.add_fault("apply", when=lambda request: request.name == f"web-{BAD.name}", error=error)
    operator = Operator(server)
    await asyncio.sleep(1)
    assert "internal error of mill (ApiError 415, id " in stored_status(server, BAD).conditions[0].message
    assert "hunter2" not in str(server.answers)
    assert operator.metric("reconciles_total", result="api_error") is not None
    assert kstatus(1, stored_status(server, GOOD)) == "Current"
    await operator.controller.stop()


@virtual_time
async def test_an_error_of_the_report_ends_no_worker(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    put(server, BAD, image="web:bad")
    advance_fails(monkeypatch)
    server.add_fault("patch", when=is_status_of_bad, error=ApiError(422, "Invalid", "no"))
    operator = Operator(server)
    await asyncio.sleep(60)
    assert written_statuses(server, BAD.name) == []
    monkeypatch.setattr("mill_operator.internal_errors.internal_error_status", lambda *_, **__: 1 / 0)
    await asyncio.sleep(60)
    assert (operator.metric("faults_total", part="telling") or 0) > 0
    assert kstatus(1, stored_status(server, GOOD)) == "Current"
    assert operator.given_up == []
    await operator.controller.stop()


@pytest.mark.parametrize("stored", [{"services": "no"}, {"rollout": {"id": 7}}, {"conditions": [{}]}, {"healthy": []}])
@virtual_time
async def test_an_unreadable_status_is_reported_and_then_replaced(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, stored: dict[str, Any]
) -> None:
    put(server, BAD, image="web:bad", status=stored)
    faulty = advance_fails(monkeypatch)
    operator = Operator(server)
    await asyncio.sleep(1)
    assert kstatus(1, stored_status(server, BAD)) == "Failed"
    faulty.on = False
    await asyncio.sleep(31)
    assert kstatus(1, stored_status(server, BAD)) == "Current"
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
def test_an_error_of_the_api_server_or_the_network_is_no_internal_error(error: Exception, kind: str | None) -> None:
    found = internal_error_in(error)
    assert (found.kind if found else None) == kind
    assert "hunter2" not in str(found)


def test_an_internal_error_has_an_id_by_its_place_in_the_code() -> None:
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
