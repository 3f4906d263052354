"""What a stream's bytes become."""

import httpx
import pytest

from mill_cli.errors import CliError
from mill_cli.gateway import Gateway, ServerEvent, Target

HEALTHY = b'event: progress\r\ndata: {"service": "web", "phase": "healthy"}\r\nid: 8ffa93a4.2.8\r\n\r\n'
DONE = b'event: done\r\ndata: {"elapsed": 31.0, "success": true}\r\nid: 8ffa93a4.2.end\r\n\r\n'
HEARTBEAT = b": ping - 2026-01-31 12:00:15.000000+00:00\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [HEALTHY + DONE, HEARTBEAT + HEALTHY + DONE, HEALTHY + HEARTBEAT + HEARTBEAT + DONE],
    ids=["no heartbeat", "before the first event", "between events"],
)
def test_heartbeats_are_no_events(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=body)

    gateway = Gateway(Target("http://gateway.example"))
    client = httpx.Client(base_url="http://gateway.example", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(gateway, "_client", client)
    assert list(gateway.deploy(b"")) == [
        ServerEvent("progress", {"service": "web", "phase": "healthy"}),
        ServerEvent("done", {"elapsed": 31.0, "success": True}),
    ]


STREAM = {"Content-Type": "text/event-stream"}


def _gateway(monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response) -> tuple[Gateway, list[httpx.Request]]:
    """A gateway that gives these answers, one after the other, and what it is asked."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers[len(asked) - 1]

    gateway = Gateway(Target("http://gateway.example"))
    client = httpx.Client(base_url="http://gateway.example", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(gateway, "_client", client)
    return gateway, asked


def test_a_gateway_that_has_only_just_started_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    starting = httpx.Response(503, json={"error": "the gateway has only just started"})
    cut, rest = (httpx.Response(200, headers=STREAM, content=each) for each in (HEALTHY, DONE))
    gateway, asked = _gateway(monkeypatch, cut, starting, rest)
    assert [each.name for each in gateway.deploy(b"")] == ["progress", "done"]
    assert [each.headers.get("Last-Event-ID") for each in asked] == [None, "8ffa93a4.2.8", "8ffa93a4.2.8"]


def test_a_deploy_that_is_refused_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, asked = _gateway(
        monkeypatch, httpx.Response(409, json={"error": "managed by the Argo CD application shop"})
    )
    with pytest.raises(CliError, match="managed by the Argo CD application shop"):
        list(gateway.deploy(b""))
    assert "force" not in asked[0].url.params


def test_force_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, asked = _gateway(monkeypatch, httpx.Response(200, headers=STREAM, content=DONE))
    list(gateway.deploy(b"", force=True))
    assert asked[0].url.params["force"] == "true"
