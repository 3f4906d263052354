"""What a stream's bytes become."""

import httpx
import pytest

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
