"""Posting Events: what is posted, what is counted, what is lost."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, NotFound, Unreachable, WriteFenced
from mill_kube.resources import Resource
from mill_objects.key import Key
from mill_operator import recorder as module
from mill_operator.core.rollout.event_messages import EventMessage
from mill_operator.recorder import Recorder, event

KEY = Key("shop", "mill")
UID = "0123456789abcdef"
FAILED = EventMessage("TagNotFound", "web has failed: tag not found", {"rollout": "1", "service": "web"}, warning=True)


class Server:
    """Keeps Events by name, as an API server would."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.errors: list[Exception] = []
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def create(self, resource: Resource, namespace: str, body: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self.calls += 1
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        assert resource.path(namespace) == "/api/v1/namespaces/shop/events"
        name = body["metadata"]["name"]
        if name in self.events:
            raise Conflict(409, "AlreadyExists", f'events "{name}" already exists')
        self.events[name] = body
        return body

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        self.calls += 1
        return self.events[name]

    async def json_patch(
        self, resource: Resource, namespace: str, name: str, operations: list[dict[str, Any]], *, manager: str
    ) -> dict[str, Any]:
        self.calls += 1
        for operation in operations:
            assert operation["op"] == "replace"
            self.events[name][operation["path"].removeprefix("/")] = operation["value"]
        return self.events[name]

    @property
    def counts(self) -> list[int]:
        return [each["count"] for each in self.events.values()]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def recorder(server: Server, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0))
    return Recorder(cast("KubeClient", server), lambda: datetime.now(UTC))


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


async def test_who_says_it_again_after_a_restart_changes_nothing(server: Server, recorder: Recorder) -> None:
    await post(recorder, FAILED)
    await post(Recorder(cast("KubeClient", server), lambda: datetime.now(UTC)), FAILED)
    assert server.counts == [1]


@pytest.mark.parametrize("counts", [(2, 3), (None, None)], ids=["counted", "not counted"])
async def test_a_verdict_that_is_made_again_counts_up(
    server: Server, recorder: Recorder, counts: tuple[int | None, ...]
) -> None:
    again = [EventMessage(FAILED.reason, FAILED.text, FAILED.about, warning=True, count=count) for count in counts]
    await post(recorder, FAILED, *again)
    assert server.counts == [3]


async def test_it_is_tried_again_while_the_api_server_does_not_answer(server: Server, recorder: Recorder) -> None:
    server.errors = [Unreachable("refused"), Unreachable("refused")]
    await post(recorder, FAILED)
    assert (server.counts, server.calls) == ([1], 3)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (ApiError(403, "Forbidden", "no right to create events"), "WARNING"),
        (ApiError(403, "Forbidden", "terminating", {"causes": [{"reason": "NamespaceTerminating"}]}), "DEBUG"),
        (NotFound(404, "NotFound", "namespace not found"), "DEBUG"),
    ],
)
async def test_one_that_is_refused_is_lost_and_the_next_is_posted(
    server: Server, recorder: Recorder, error: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, module.__name__)
    server.errors = [error]
    other = EventMessage("Healthy", "web is healthy", {"rollout": "1", "service": "web"})
    await post(recorder, FAILED, other)
    assert [each["reason"] for each in server.events.values()] == ["Healthy"]
    assert [each.levelname for each in caplog.records] == [level]


async def test_one_that_may_not_be_written_any_more_is_lost_quietly(
    server: Server, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    server.errors = [WriteFenced("another replica works")]
    await post(recorder, FAILED)
    assert server.counts == []
    assert server.calls == 1
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_recording_never_waits_and_what_is_too_much_is_lost(
    server: Server, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_LIMIT", 3)
    server.gate.clear()
    for number in range(10):
        recorder.record(KEY, UID, EventMessage("Healthy", f"service {number} is healthy", {"rollout": "1"}))
    assert server.events == {}
    server.gate.set()
    await recorder.drain(5.0)
    assert [each["message"] for each in server.events.values()] == [
        f"service {number} is healthy" for number in range(3)
    ]


async def test_a_stop_waits_for_a_while_and_no_longer(server: Server, recorder: Recorder) -> None:
    server.gate.clear()
    recorder.record(KEY, UID, FAILED)
    await recorder.drain(0.01)
    server.gate.set()
    await asyncio.sleep(0)
    assert (server.calls, server.events) == (1, {})


async def test_an_unexpected_error_costs_one_event(caplog: pytest.LogCaptureFixture) -> None:
    server = Server()
    server.errors = [KeyError("count")]
    recorder = Recorder(cast("KubeClient", server), lambda: datetime(2026, 1, 31, tzinfo=UTC))
    recorder.record(KEY, UID, FAILED)
    recorder.record(KEY, UID, EventMessage("Healthy", "web is healthy", {"rollout": "1", "service": "web"}))
    await recorder.drain(5)
    assert [each["reason"] for each in server.events.values()] == ["Healthy"]
    assert "event TagNotFound is lost: unexpected error" in caplog.text


@pytest.mark.parametrize("count", [None, "many", [], -3])
async def test_an_event_that_counts_in_no_number_counts_on_from_one(count: Any) -> None:
    server = Server()
    recorder = Recorder(cast("KubeClient", server), lambda: datetime(2026, 1, 31, tzinfo=UTC))
    again = EventMessage(FAILED.reason, FAILED.text, FAILED.about, warning=True, count=None)
    recorder.record(KEY, UID, again)
    await recorder.drain(5)
    (event,) = server.events.values()
    event["count"] = count
    recorder.record(KEY, UID, again)
    await recorder.drain(5)
    assert server.counts == [2]
