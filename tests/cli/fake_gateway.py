"""A gateway that gives the answers of a test: good ones, late ones, broken ones."""

import json
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request that was received."""

    method: str
    path: str
    """As it was sent, with what is percent-encoded."""
    query: dict[str, str]
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes
    source: str | None = None
    """The name of the file that is deployed: it is part of every deploy, and no test's subject but those of history."""

    @property
    def request(self) -> tuple[str, str, dict[str, str]]:
        """What is asked for."""
        return self.method, self.path, self.query


@dataclass(frozen=True)
class Answer:
    """What is sent: status, headers, and parts of a body with pauses between them."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    parts: tuple[bytes | float, ...] = ()
    """Bytes, and seconds to wait before the next ones."""
    cut: bool = False
    """Whether the connection ends before the body does."""
    reset: bool = False
    """Whether the connection is reset instead of an answer."""


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    return Answer(status, {"Content-Type": "application/json", **headers}, (json.dumps(value).encode(),))


NOTHING = Answer(204)


def moved(status: int, to: str) -> Answer:
    """A redirect."""
    return Answer(status, {"Location": to})


def refusal(status: int, message: str, **more: Any) -> Answer:
    """An error as the gateway tells it."""
    names = {"request": "7707679e566ef2f9", "request_id": "7707679e566ef2f9"}
    return as_json({"error": message, "code": "a_code", **more, **names}, status)


def event(name: str | None, data: Any, id_: str | None = None) -> bytes:
    """An event's bytes; `data` is sent as JSON unless it is text."""
    text = data if isinstance(data, str) else json.dumps(data)
    lines = [f"event: {name}"] if name else []
    lines += [f"data: {text}", *([f"id: {id_}"] if id_ else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


DEPLOY = "/v1/deploy"
HEARTBEAT = b": ping - 2026-01-31 12:00:15.000000+00:00\r\n\r\n"
ROLLOUT = {"Mill-Deployment": "shop/mill", "Mill-Rollout": "8ffa93a4.2"}


def stream(*parts: bytes | float, cut: bool = False, **headers: str) -> Answer:
    """Server-sent events, with pauses in seconds; cut off, or ended as a stream should."""
    return Answer(200, {"Content-Type": "text/event-stream", **ROLLOUT, **headers}, parts, cut=cut)


def rollout(*events: tuple[str, dict[str, Any]], pause: float = 0.0) -> Answer:
    """A rollout's stream: names and data, numbered from 1, the last one `done` if that is its name."""
    parts: list[bytes | float] = []
    for at, (name, data) in enumerate(events, 1):
        parts += [pause, event(name, data, f"8ffa93a4.2.{'end' if name == 'done' else at}")]
    return stream(*parts)


class FakeGateway:
    """Its address, what it answers, and what it was asked."""

    def __init__(self, certificate: Path | None = None) -> None:
        """Speak TLS if there is a certificate; its key is in the same file."""
        self.asked: list[Asked] = []
        """Every request but dry runs."""
        self.planned: list[Asked] = []
        """The dry runs."""
        self._answers: dict[tuple[str, str], list[Answer | Callable[[Asked], Answer]]] = defaultdict(list)
        handler = type("Handler", (_Handler,), {"gateway": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._scheme = "http"
        if certificate is not None:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def answers(self, method: str, path: str, *answers: Answer | Callable[[Asked], Answer]) -> None:
        """Have a route give these answers, one after the other; the last one again and again."""
        self._answers[method, path] = list(answers)

    def plans(self, *answers: Answer | Callable[[Asked], Answer], method: str = "POST", path: str = DEPLOY) -> None:
        """Have the plan of a route give these answers. Without any, it is refused as by a gateway without plans."""
        self._answers[f"plan of {method}", path] = list(answers)

    @property
    def requests(self) -> list[tuple[str, str, dict[str, str]]]:
        """Everything that was asked for."""
        return [each.request for each in self.asked]

    def answer(self, asked: Asked) -> Answer:
        """Return the next answer."""
        is_plan = asked.path.endswith("/plan") or "true" in (asked.query.get("dryRun"), asked.query.get("plan"))
        (self.planned if is_plan else self.asked).append(asked)
        method = f"plan of {asked.method}" if is_plan else asked.method
        waiting = self._answers[method, asked.path.removesuffix("/plan")]
        if not waiting:
            return refusal(404, f"no such path: {asked.path}", code="path_not_found")
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return found if isinstance(found, Answer) else found(asked)

    @contextmanager
    def running(self) -> Iterator["FakeGateway"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: FakeGateway

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        source = query.pop("from", None)
        asked = Asked(
            self.command,
            parts.path,
            query,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            source,
        )
        answer = self.gateway.answer(asked)
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if "Date" in answer.headers:
            self.send_response_only(answer.status)
        else:
            self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status == NOTHING.status:  # has no body by definition
            self.end_headers()
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._send(answer)
        except OSError:  # the client has gone
            self.close_connection = True

    def _send(self, answer: Answer) -> None:
        for part in answer.parts:
            if isinstance(part, bytes):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            else:
                time.sleep(part)
        if answer.cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - as http.server calls them

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server calls it
        """Say nothing."""
