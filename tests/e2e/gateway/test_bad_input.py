"""What is no request of ours, down to the bytes of a connection: an answer in JSON, at once."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from mill_gateway.server.limits import HEAD_LIMIT, SECONDS, Phase
from mill_gateway.settings import Settings

from .process import GatewayProcess

BODY_LIMIT = Settings().max_file_bytes
HEAD_SECONDS = SECONDS[Phase.HEAD]


def _raw(gateway: GatewayProcess, sent: bytes, seconds: float = 5) -> tuple[int, Any]:
    """Send bytes; return the status and the JSON of the answer, read until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=seconds) as connection:
        connection.sendall(sent)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except TimeoutError:
            pass
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"application/json" in head.lower(), received[:500]
    answer = json.loads(body)
    assert set(answer) >= {"error", "code", "request", "request_id"}
    return int(head.split()[1]), answer["error"]


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "invalid http request"),
        (b"GET /v1/deployments HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n", 400, "invalid http request"),
        (
            b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (HEAD_LIMIT + 5000) + b"\r\n\r\n",
            431,
            "headers are larger than",
        ),
        (
            b"GET /" + b"a" * (HEAD_LIMIT + 5000) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            431,
            "headers are larger than",
        ),
        (b"GET /v1/\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400, "invalid http request"),
        (b"GET /v1/%FF HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404, "no such path"),
        (
            b"BREW /v1/deploy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            405,
            "method BREW not allowed",
        ),
        (
            b"POST /v1/deploy HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1),
            413,
            "the body is larger than",
        ),
    ],
)
def test_bytes(gateway: GatewayProcess, sent: bytes, status: int, words: str) -> None:
    answered, error = _raw(gateway, sent, seconds=3)
    assert (answered, words in error) == (status, True), error


def test_a_request_that_does_not_come_is_not_waited_for(gateway: GatewayProcess) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        slow = pool.submit(_raw, gateway, b"GET /v1/deployments HTTP/1.1\r\nHost: localhost\r\n", 3 * HEAD_SECONDS)
        # Others are served meanwhile.
        assert gateway.get("/v1/deployments").status_code == 200
        assert time.monotonic() - started < HEAD_SECONDS
        assert slow.result() == (408, f"no complete request within {HEAD_SECONDS:.0f} s")


def test_a_whole_body_that_is_too_large_is_refused_and_the_connection_goes_on(http: httpx.Client) -> None:
    refused = http.post("/v1/deploy", content=b"#" * (BODY_LIMIT + 1))
    assert refused.status_code == 413
    assert http.get("/v1/deployments").status_code == 200
