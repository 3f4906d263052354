"""The recorder: Events that are posted, counted and lost."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from mill_kube.errors import ApiError, NotFound, Unreachable, WriteFenced
from mill_kube.resources import EVENTS
from mill_objects.json import Json
from mill_objects.key import Key
from mill_operator import recorder as module
from mill_operator.core.rollout.event_messages import EventMessage
from mill_operator.recorder import Recorder, event
from tests.support.apiserver import ApiServer, InMemoryClient

KEY = Key("shop", "mill")
UID = "0123456789abcdef"
FAILED = EventMessage("TagNotFound", "web has failed: tag not found", {"rollout": "1", "service": "web"}, warning=True)


def events(server: ApiServer) -> list[Json]:
    """Return the posted Events in the order of their last change."""
    return sorted(server.all(EVENTS), key=lambda each: int(each["metadata"]["resourceVersion"]))


def stored_counts(server: ApiServer) -> list[int]:
    return [each["count"] for each in events(server)]


@pytest.fixture
def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
def recorder(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0))
    return recorder_of(server)


def recorder_of(server: ApiServer) -> Recorder:
    return Recorder(InMemoryClient(server), lambda: datetime.now(UTC))


async def post(recorder: Recorder, *event_messages: EventMessage) -> None:
    for each in event_messages:
        recorder.record(KEY, UID, each)
    await recorder.drain(5.0)


def test_an_event_is_what_describe_shows_of_the_resource():
    now = "2026-01-31T12:00:00Z"
    assert event(KEY, UID, FAILED, at=now, instance="host") == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"mill.01234567.{FAILED.id}", "namespace": "shop"},
        "type": "Warning",
        "reason": "TagNotFound",
        "message": "web has failed: tag not found",
        "action": "Rollout",
        "involvedObject": {
            "apiVersion": "mill.dev/v1alpha1",
            "kind": "MillDeployment",
            "namespace": "shop",
            "name": "mill",
            "uid": UID,
        },
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "source": {"component": "mill.dev/operator", "host": "host"},
        "reportingComponent": "mill.dev/operator",
        "reportingInstance": "host",
    }


async def test_an_event_that_is_posted_again_after_a_restart_changes_nothing(
    server: ApiServer, recorder: Recorder
) -> None:
    await post(recorder, FAILED)
    await post(recorder_of(server), FAILED)
    assert stored_counts(server) == [1]


@pytest.mark.parametrize("counts", [(2, 3), (None, None)], ids=["counted", "not counted"])
async def test_a_repeated_verdict_counts_up(
    server: ApiServer, recorder: Recorder, counts: tuple[int | None, ...]
) -> None:
    again = [EventMessage(FAILED.reason, FAILED.text, FAILED.about, warning=True, count=count) for count in counts]
    await post(recorder, FAILED, *again)
    assert stored_counts(server) == [3]


async def test_an_event_is_retried_while_the_api_server_does_not_answer(server: ApiServer, recorder: Recorder) -> None:
    server.add_fault("create", EVENTS, times=2, error=Unreachable("refused"))
    await post(recorder, FAILED)
    assert (stored_counts(server), len(server.requests)) == ([1], 3)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (ApiError(403, "Forbidden", "no right to create events"), "WARNING"),
        (ApiError(403, "Forbidden", "terminating", {"causes": [{"reason": "NamespaceTerminating"}]}), "DEBUG"),
        (NotFound(404, "NotFound", "namespace not found"), "DEBUG"),
    ],
)
async def test_a_refused_event_is_lost_and_the_next_is_posted(
    server: ApiServer, recorder: Recorder, error: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, module.__name__)
    server.add_fault("create", EVENTS, times=1, error=error)
    other = EventMessage("Healthy", "web is healthy", {"rollout": "1", "service": "web"})
    await post(recorder, FAILED, other)
    assert [each["reason"] for each in events(server)] == ["Healthy"]
    assert [each.levelname for each in caplog.records] == [level]


async def test_a_fenced_event_is_lost_without_a_warning(
    server: ApiServer, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    server.add_fault("create", EVENTS, times=1, error=WriteFenced("another replica works"))
    await post(recorder, FAILED)
    assert stored_counts(server) == []
    assert len(server.requests) == 1
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_recording_never_waits_and_events_beyond_the_limit_are_lost(
    server: ApiServer, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_LIMIT", 3)
    gate = asyncio.Event()
    server.add_fault("create", EVENTS, hold=gate)
    for number in range(10):
        recorder.record(KEY, UID, EventMessage("Healthy", f"service {number} is healthy", {"rollout": "1"}))
    assert events(server) == []
    gate.set()
    await recorder.drain(5.0)
    assert [each["message"] for each in events(server)] == [f"service {number} is healthy" for number in range(3)]


async def test_a_stop_waits_for_a_while_and_no_longer(server: ApiServer, recorder: Recorder) -> None:
    gate = asyncio.Event()
    server.add_fault("create", EVENTS, hold=gate)
    recorder.record(KEY, UID, FAILED)
    await recorder.drain(0.01)
    gate.set()
    await asyncio.sleep(0)
    assert (len(server.requests), events(server)) == (1, [])


async def test_an_unexpected_error_costs_one_event(caplog: pytest.LogCaptureFixture) -> None:
    server = ApiServer()
    server.add_fault("create", EVENTS, times=1, error=KeyError("count"))
    recorder = recorder_of(server)
    recorder.record(KEY, UID, FAILED)
    recorder.record(KEY, UID, EventMessage("Healthy", "web is healthy", {"rollout": "1", "service": "web"}))
    await recorder.drain(5)
    assert [each["reason"] for each in events(server)] == ["Healthy"]
    assert "event TagNotFound is lost: unexpected error" in caplog.text


@pytest.mark.parametrize("count", [None, "many", [], -3])
async def test_an_event_that_counts_in_no_number_counts_on_from_one(count: Any) -> None:
    server = ApiServer()
    recorder = recorder_of(server)
    again = EventMessage(FAILED.reason, FAILED.text, FAILED.about, warning=True, count=None)
    recorder.record(KEY, UID, again)
    await recorder.drain(5)
    (posted,) = events(server)
    server.put(EVENTS, {**posted, "count": count})
    recorder.record(KEY, UID, again)
    await recorder.drain(5)
    assert stored_counts(server) == [2]
