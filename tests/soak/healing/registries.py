"""Registries that fail for a while, and then give what the real one has."""

import json
import socket
import struct
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.support.http_servers import serving

_LINGER_NOTHING: Final = struct.pack("ii", 1, 0)
_CHUNK: Final = 65536


class _Answer(BaseHTTPRequestHandler):
    """Answers a request, by the fault as long as there is one."""

    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request."""
        if self.server.is_failing():
            self.server.fault(self)
        else:
            self.pass_on()

    do_HEAD = do_GET  # noqa: N815 - http.server's own names

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer with an error as registries write it."""
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def pass_on(self) -> None:
        """Answer with what the real registry has."""
        headers = {name: self.headers[name] for name in ("Accept", "Range") if self.headers[name]}
        url = f"http://{self.server.upstream}{self.path}"
        request = urllib.request.Request(url, headers=headers, method=self.command)
        try:
            answer = urllib.request.urlopen(request, timeout=30)  # noqa: S310 - the local registry
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.send_response(answer.status)
            for name in ("Content-Type", "Content-Length", "Content-Range", "Docker-Content-Digest"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            while self.command == "GET" and (part := answer.read(_CHUNK)):
                self.wfile.write(part)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, fault: Callable[[_Answer], None], seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.upstream = upstream
        self.fault = fault
        self.has_healed = threading.Event()
        self._timer = threading.Timer(seconds, self.has_healed.set)
        self._timer.daemon = True
        self._lock = threading.Lock()

    def is_failing(self) -> bool:
        """Whether it fails; its time begins with the first request."""
        with self._lock:
            if self._timer.ident is None:
                self._timer.start()
        return not self.has_healed.is_set()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection without the end of a stream before it, which a reset does not have."""
        self.close_request(request)

    def handle_error(self, *_: Any) -> None:
        """Print nothing: clients end connections as they like."""


def _too_many(answer: _Answer) -> None:
    answer.refuse(429, "TOOMANYREQUESTS", "You have reached your pull rate limit.")


def _broken(answer: _Answer) -> None:
    answer.refuse(500, "UNKNOWN", "unknown error")


def _reset(answer: _Answer) -> None:
    """End the connection in a way that the client calls a reset: what was sent is thrown away."""
    answer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
    answer.close_connection = True


def _slow(answer: _Answer) -> None:
    answer.server.has_healed.wait(600)
    answer.pass_on()


FAULTS: Final[dict[str, Callable[[_Answer], None]]] = {
    "429": _too_many,
    "500": _broken,
    "reset": _reset,
    "slow": _slow,
}


def failing(fault: str) -> Callable[[str, float], AbstractContextManager[str]]:
    """Return what runs a registry that fails for so many seconds from its first request, and yields its address."""

    @contextmanager
    def run(upstream: str, seconds: float) -> Iterator[str]:
        with serving(_Server(upstream, FAULTS[fault], seconds)) as server:
            try:
                yield f"127.0.0.1:{server.server_address[1]}"
            finally:
                server.has_healed.set()

    return run
