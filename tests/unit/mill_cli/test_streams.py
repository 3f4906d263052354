"""Events from the bytes of a stream, over several connections."""

from collections.abc import Callable

import pytest

from mill_cli.connection import streams
from mill_cli.connection.client import Gateway
from mill_cli.connection.streams import Request, RolloutStream
from mill_cli.connection.transport import Answer, ConnectError, HttpRequest, TransportError
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from tests.support.http_answers import ScriptedClient, answer, json_answer

HEALTHY = b'event: progress\r\ndata: {"service": "web", "phase": "healthy"}\r\nid: 8ffa93a4.2.8\r\n\r\n'
DONE = b'event: done\r\ndata: {"elapsed": 31.0, "success": true}\r\nid: 8ffa93a4.2.end\r\n\r\n'
HEARTBEAT = b": ping - 2026-01-31 12:00:15.000000+00:00\r\n\r\n"
STREAM = {"content-type": "text/event-stream", "mill-deployment": "shop/mill", "mill-rollout": "8ffa93a4.2"}
DEPLOY = Request("POST", "/v1/deploy", {"namespace": "shop"}, b"")

Opened = tuple[RolloutStream, list[HttpRequest]]
Open = Callable[..., Opened]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Open:
    """A deploy's stream from a gateway that gives these answers, and what it is asked."""
    monkeypatch.setattr(streams, "_FIRST_PAUSE", 0.001)

    def open_(*answers: Answer | Exception, request: Request = DEPLOY) -> Opened:
        gateway = Gateway(Options(address="http://gateway.example", namespace="shop"))
        gateway._client = client = ScriptedClient(*answers)
        return RolloutStream(gateway, request), client.asked

    return open_


def good(*parts: bytes) -> Answer:
    return answer(b"".join(parts), headers=STREAM)


@pytest.mark.parametrize(
    "body",
    [(HEALTHY, DONE), (HEARTBEAT, HEALTHY, DONE), (HEALTHY, HEARTBEAT, HEARTBEAT, DONE)],
    ids=["no heartbeat", "before the first event", "between events"],
)
def test_heartbeats_are_no_events(opened: Open, body: tuple[bytes, ...]) -> None:
    stream, _ = opened(good(*body))
    assert [(each.name, each.data) for each in stream] == [
        ("progress", {"service": "web", "phase": "healthy"}),
        ("done", {"elapsed": 31.0, "success": True}),
    ]


def test_a_stream_that_is_cut_off_is_resumed(opened: Open) -> None:
    starting = json_answer(503, {"error": "the gateway has only just started"})
    stream, asked = opened(good(HEALTHY), starting, TransportError("gone"), good(DONE))
    assert [each.name for each in stream] == ["progress", "done"]
    assert [each.headers.get("Last-Event-ID") for each in asked] == [None, *["8ffa93a4.2.8"] * 3]
    assert [each.target for each in asked[1:]] == ["/v1/deployments/mill/events?namespace=shop"] * 3


def test_a_stream_without_an_event_is_resumed_at_the_requested_rollout(opened: Open) -> None:
    stream, asked = opened(good(HEARTBEAT), good(HEALTHY, DONE))
    assert [each.name for each in stream] == ["progress", "done"]
    assert asked[1].headers["Last-Event-ID"] == "8ffa93a4.2.0"


def test_a_deploy_that_is_refused_is_not_tried_again(opened: Open) -> None:
    stream, asked = opened(json_answer(409, {"error": "managed by the Argo CD application shop", "owner": "x"}))
    with pytest.raises(CliError, match="managed by the Argo CD application shop") as refused:
        list(stream)
    assert (refused.value.code, len(asked)) == (Exit.FAILED, 1)


def test_a_deploy_without_an_answer_may_have_started(opened: Open) -> None:
    stream, asked = opened(TransportError("gone"))
    with pytest.raises(CliError, match="may have started") as lost:
        list(stream)
    assert (lost.value.code, len(asked)) == (Exit.STREAM_LOST, 1)
    assert "`mill watch --namespace shop` follows it" in lost.value.render()


def test_a_request_that_was_not_sent_has_not_started(opened: Open) -> None:
    stream, _ = opened(ConnectError("refused"))
    with pytest.raises(CliError, match=r"connection refused — is the cluster running\?") as unconnected:
        list(stream)
    assert unconnected.value.code == Exit.CANNOT_CONNECT


def test_a_lost_stream_is_given_up_in_the_end(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "RESUME_SECONDS", 0.0)
    stream, _ = opened(good(HEALTHY))
    with pytest.raises(CliError, match="lost the connection") as lost:
        list(stream)
    assert lost.value.code == Exit.STREAM_LOST


@pytest.mark.parametrize(("status", "code"), [(401, Exit.STREAM_LOST), (403, Exit.STREAM_LOST), (410, Exit.FAILED)])
def test_a_refusal_in_the_middle_ends_it(opened: Open, status: int, code: Exit) -> None:
    stream, _ = opened(good(HEALTHY), json_answer(status, {"error": "no"}))
    with pytest.raises(CliError) as ended:
        list(stream)
    assert ended.value.code == code


def test_data_that_is_no_json_is_kept_as_text(opened: Open) -> None:
    stream, _ = opened(good(b"event: progress\ndata: {oops\n\n", b"data: [1]\n\n", DONE))
    assert [(each.text, each.data) for each in stream][:2] == [("{oops", {}), ("[1]", {})]
