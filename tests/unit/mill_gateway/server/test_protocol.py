"""Connections of clients that do not read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import Gauge
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from mill_gateway.server import connections, limits
from mill_gateway.streams.response import event_stream
from tests.support.gateway.serving import serving

OPENED = Gauge("opened", "Streams.", registry=None)
LINE = b"data: " + b"x" * 10_000 + b"\r\n\r\n"


class Streaming:
    """Sends events as fast as they are taken, and remembers its end."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def events(self) -> AsyncIterator[bytes]:
        try:
            while True:
                await asyncio.sleep(0)  # as who waits for something to tell
                yield LINE
        finally:
            self.ended.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await event_stream(self.events(), OPENED)(scope, receive, send)


async def whole(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer in one piece."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % 2**24)]})
    await send({"type": "http.response.body", "body": bytes(2**24)})


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[tuple[ServerState, int]]:
    """Serve `app` as the gateway is served; give its connections and its port."""
    async with serving(app) as served:
        yield served.state, served.port


async def asking(port: int) -> socket.socket:
    """Send a request, and be slow to take the answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.05)


async def _until_closed(state: ServerState) -> None:
    for _ in range(250):
        if not state.connections:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the connection stays")


@pytest.mark.usefixtures("impatient")
async def test_a_client_that_does_not_read_a_stream_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    app = Streaming()
    async with listening(app) as (state, port):
        client = await asking(port)
        async with asyncio.timeout(5):
            await app.ended.wait()
        await _until_closed(state)
        client.close()
    assert OPENED.collect()[0].samples[0].value == 0
    assert not [each for each in caplog.records if each.levelname == "ERROR"], "it is the client's business"


@pytest.mark.usefixtures("impatient")
async def test_a_client_that_does_not_read_an_answer_is_cut_off() -> None:
    async with listening(whole) as (state, port):
        client = await asking(port)
        await asyncio.sleep(0.1)
        assert state.connections
        await _until_closed(state)
        client.close()


async def test_shutdown_cuts_streams_off_without_an_error(caplog: pytest.LogCaptureFixture) -> None:
    app = Streaming()
    async with listening(app) as (state, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(LINE)
        for each in list(state.connections):
            each.shutdown()
        async with asyncio.timeout(5):
            rest = await reader.read()
            await app.ended.wait()
        await _until_closed(state)
        writer.close()
    assert not rest.endswith(b"\r\n0\r\n\r\n"), "what is cut off must not look complete"
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("app", [Streaming(), whole])
async def test_a_slow_but_steady_client_is_not_cut_off(app: ASGIApp) -> None:
    async with listening(app) as (state, port):
        client = await asking(port)
        loop = asyncio.get_running_loop()
        ends = loop.time() + 1.5  # several times as long as who takes nothing would have
        while loop.time() < ends:
            assert await loop.sock_recv(client, 4096)
            await asyncio.sleep(0.01)
        assert state.connections
        client.close()
        await _until_closed(state)
