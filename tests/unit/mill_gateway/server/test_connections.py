"""Connections have time limits that no single byte extends, and a limited number."""

import asyncio
import logging
import os
import resource
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from mill_gateway.app import create_app
from mill_gateway.server import connections, limits
from mill_gateway.server.limits import SURPLUS
from mill_gateway.server.listener import connections_of
from mill_gateway.settings import Settings
from tests.support.certificates import certificate, make
from tests.support.gateway.served import serve
from tests.support.gateway.serving import Serving, serving

TOKEN = "right-token"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second is a second here, and half a second ten."""
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.05)
    for phase in limits.SECONDS:
        monkeypatch.setitem(limits.SECONDS, phase, 0.5)
        monkeypatch.setitem(limits.PRESSED_SECONDS, phase, 0.5)


@asynccontextmanager
async def gateway(**limits: float) -> AsyncIterator[Serving]:
    """The whole gateway behind its server."""
    async with serve(settings=Settings(admin_token=TOKEN)) as behind, serving(_app(behind), **limits) as served:  # type: ignore[arg-type]
        yield served


def _app(behind: object) -> ASGIApp:
    return create_app(Settings(admin_token=TOKEN), behind.gateway)  # type: ignore[attr-defined]


async def _drip(port: int, begin: bytes, *, every: float = 0.1, byte: bytes = b"a", ends: float = 4.0) -> float:
    """Send the beginning, and then a byte now and then. Return after how many seconds the server has closed."""
    started = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    gone = asyncio.ensure_future(_read_all(reader))
    try:
        writer.write(begin)
        while not gone.done() and time.monotonic() - started < ends:
            writer.write(byte)
            await writer.drain()
            await asyncio.wait([gone], timeout=every)
    except OSError:
        pass
    finally:
        gone.cancel()
        writer.close()
    return time.monotonic() - started


async def _read_all(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass


HOST = b"Host: localhost\r\n"
BODY = HOST + b"Content-Length: 100000\r\n\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\nFFFF\r\n"
AUTHORIZED = f"Authorization: Bearer {TOKEN}\r\n".encode()
PROBE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
DRIPS = {
    "a body, without a token": b"POST /v1/deploy HTTP/1.1\r\n" + BODY,
    "a body of GET": b"GET / HTTP/1.1\r\n" + BODY,
    "a body of a public file": b"GET /page/app.js HTTP/1.1\r\n" + BODY,
    "a body, with a token": b"GET /v1/status HTTP/1.1\r\n" + AUTHORIZED + BODY,
    "a body that is refused": b"POST /v1/deploy HTTP/1.1\r\n" + AUTHORIZED + BODY.replace(b"100000", b"9999999"),
    "chunks": b"POST /v1/deploy HTTP/1.1\r\n" + HOST + CHUNKS,
    "chunks, with a token": b"GET /v1/status HTTP/1.1\r\n" + HOST + AUTHORIZED + CHUNKS,
    "a second request": b"GET / HTTP/1.1\r\n" + HOST + b"\r\nGET / HTTP/1.1\r\nX: ",
    "many requests and half a one": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 20 + b"GET / HTTP/1.1\r\nX: ",
    "a request after a body": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nX: ",
    "a head": b"GET / HTTP/1.1\r\nX: ",
    "nothing": b"",
}


@pytest.mark.parametrize("begin", DRIPS.values(), ids=DRIPS)
async def test_single_bytes_do_not_extend_a_limit(begin: bytes) -> None:
    async with gateway() as served:
        assert await _drip(served.port, begin) < 2.0
        await served.settled()


async def test_empty_lines_do_not_restart_a_limit() -> None:
    """After a request has been answered, and before another one."""
    async with gateway() as served:
        begin = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
        assert await _drip(served.port, begin, byte=b"\r\n") < 2.0


async def test_a_connection_lasts_as_long_as_complete_requests_arrive() -> None:
    async with gateway() as served:
        request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
        assert await _drip(served.port, request, byte=request, every=0.2, ends=1.5) >= 1.5


async def test_a_connection_stays_open_when_the_rest_of_a_body_arrives_in_time() -> None:
    async with gateway() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        for _ in range(2):
            writer.write(b"POST /v1/deploy HTTP/1.1\r\n" + HOST + b"Content-Length: 6\r\n\r\nabc")
            assert b"401" in await reader.readuntil(b"}")
            await asyncio.sleep(0.1)
            writer.write(b"def")
        writer.close()


@pytest.mark.parametrize("seconds", [0.3, 1.5])
async def test_the_rest_of_a_body_is_read_for_the_time_of_the_setting(seconds: float) -> None:
    async with gateway(rest_seconds=seconds) as served:
        took = await _drip(served.port, DRIPS["a body, without a token"])
        assert seconds <= took < seconds + 1.0


def test_the_setting_reaches_the_connections() -> None:
    for seconds in (1, 600):
        settings = Settings(body_rest_seconds=seconds)
        assert connections_of(settings, lambda _: None).rest_seconds == seconds


async def test_a_client_that_does_not_read_the_end_of_an_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than what pauses the making of it, so that the server has it and waits to close."""
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.3)

    async def app(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100000")]})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": bytes(100_000)})  # type: ignore[operator]

    async with serving(app) as served:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.connect(("127.0.0.1", served.port))
        client.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        await asyncio.sleep(0.1)
        (held,) = served.state.connections
        assert 0 < held.transport.get_write_buffer_size() < 100_000  # type: ignore[union-attr]
        await served.settled()
        client.close()


async def test_a_client_that_reads_too_slowly_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.3)

    async def app(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000000")]})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": bytes(1_000_000)})  # type: ignore[operator]

    async with serving(app) as served:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.settimeout(0)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", served.port))
        await loop.sock_sendall(client, b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        started = loop.time()
        await asyncio.sleep(0.1)
        while len(served.connections) and loop.time() - started < 4:
            try:
                await loop.sock_recv(client, 100)
            except OSError:
                break
            await asyncio.sleep(0.02)
        assert loop.time() - started < 2
        await served.settled()
        client.close()


async def test_a_half_closed_connection_is_closed() -> None:
    async with gateway() as served:
        for begin in (
            b"",
            b"GET / HTT",
            DRIPS["a body, without a token"],
            b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        ):
            _, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(begin)
            writer.write_eof()
            await served.settled(seconds=2)
            writer.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("pair"), "first")


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00"])
async def test_an_incomplete_handshake_is_cut_off(pair: Path, sent: bytes) -> None:
    async with gateway(context=certificate(pair).context) as served:  # type: ignore[arg-type]
        assert await _drip(served.port, sent) < 2.0
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        await asyncio.sleep(0.1)
        assert len(served.connections) == 1, "counted from the moment that it is accepted"
        await served.settled(seconds=2)
        writer.close()


async def test_limits_are_the_same_over_tls(pair: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(pair / "tls.crt"))
    async with gateway(context=certificate(pair).context) as served:  # type: ignore[arg-type]
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port, ssl=trusted)
        writer.write(DRIPS["a body, without a token"])
        assert b"401" in await reader.readuntil(b"}")
        async with asyncio.timeout(2):
            try:
                while len(served.connections):
                    writer.write(b"a")
                    await asyncio.sleep(0.1)
            except OSError:
                pass
        await served.settled()
        writer.close()


async def _ask(port: int, path: str = "/v1/status") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\n".encode() + HOST + AUTHORIZED + b"\r\n")
        async with asyncio.timeout(3):
            head = await reader.readuntil(b"\r\n\r\n")
            return head + await reader.readuntil(b"}")
    finally:
        writer.close()


@asynccontextmanager
async def idle(port: int, number: int) -> AsyncIterator[None]:
    """Connections that send nothing."""
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(number)]
    await asyncio.sleep(0.2)
    try:
        yield
    finally:
        for each in opened:
            each.close()


@pytest.mark.parametrize(
    ("limits", "status", "words", "limit"),
    [
        ({"most": 20}, b"HTTP/1.1 503 ", b"MILL_MAX_CONNECTIONS)", connections.ALL),
        ({"of_address": 20}, b"HTTP/1.1 429 ", b"MILL_MAX_CONNECTIONS_PER_ADDRESS)", connections.OF_ADDRESS),
    ],
)
async def test_a_connection_beyond_the_limit_gets_an_error_unless_it_is_a_probe(
    limits: dict[str, int], status: bytes, words: bytes, limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(**limits) as served:
        assert b"200 OK" in await _ask(served.port)
        await served.settled()
        async with idle(served.port, 20):
            answer = await _ask(served.port)
            assert answer.startswith(status)
            assert words in answer
            assert b"connection: close" in answer.lower()
            assert b"retry-after: 1" in answer.lower()
            for path in ("/healthz", "/readyz"):
                assert b"200 OK" in await _ask(served.port, path)
            assert served.refused[limit] >= 3
        await served.settled()
        assert b"200 OK" in await _ask(served.port)
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 1, "no line for each"


async def test_a_flood_beyond_the_limit_does_not_disturb_probes() -> None:
    async with gateway(most=20) as served:
        async with idle(served.port, 20), idle(served.port, 300):
            assert len(served.connections) <= 20 + SURPLUS + connections.SURPLUS_AT_ONCE
            started = time.monotonic()
            assert b"200 OK" in await _ask(served.port, "/healthz")
            assert time.monotonic() - started < 1
        await served.settled()
        assert served.connections._by_address == {}


async def test_limits_are_shorter_under_pressure(monkeypatch: pytest.MonkeyPatch) -> None:
    for phase in limits.SECONDS:
        monkeypatch.setitem(limits.SECONDS, phase, 60.0)
    async with gateway(most=20) as served, idle(served.port, 20):
        assert b"503 " in await _ask(served.port)
        await served.settled(seconds=3)
        assert b"200 OK" in await _ask(served.port)


@contextmanager
def no_descriptors() -> Iterator[None]:
    """A process that can have no more files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (max(int(each.name) for each in Path("/proc/self/fd").iterdir()) + 20, hard)
    )
    held = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.dup(0))
        yield
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_exhausted_file_descriptors_are_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    async with gateway() as served:
        clients = [socket.socket() for _ in range(30)]
        with no_descriptors():
            for client in clients:
                client.settimeout(0)
                client.connect_ex(("127.0.0.1", served.port))
            await asyncio.sleep(1.5)
        told = [each for each in caplog.records if "out of system resource" in each.getMessage()]
        assert 1 <= len(told) <= 2
        for client in clients:
            client.close()
        await asyncio.sleep(1)
        assert b"200 OK" in await _ask(served.port, "/healthz")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_a_request_with_an_ambiguous_length_closes_the_connection(head: bytes) -> None:
    async with gateway() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head + PROBE)
        async with asyncio.timeout(5):
            answers = await reader.read()
        writer.close()
    assert answers.count(b"HTTP/1.1 ") == 1, "what follows is no request of its own"
    assert answers.split()[1] in {b"400", b"501"}
