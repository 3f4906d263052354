"""The client that sends requests at a steady rate."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from tests.soak.load import load


class _Alternating(BaseHTTPRequestHandler):
    """Answers every second request with 503."""

    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.send_response(200 if self.requests % 2 else 503)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


def test_answers_and_refusals_are_counted_by_their_cause() -> None:
    server = HTTPServer(("127.0.0.1", 0), _Alternating)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with load("127.0.0.1", server.server_port, 100) as found:
            deadline = time.monotonic() + 20
            while found.requests < 10 and time.monotonic() < deadline:
                time.sleep(0.01)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert found.requests == _Alternating.requests >= 10
    assert dict(found.failures) == {"HTTP/1.0 503 Service Unavailable": found.requests // 2}


def test_a_refused_connection_is_a_failed_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with load("127.0.0.1", port, 100) as found:
        time.sleep(0.2)
    assert found.requests == found.failures["ConnectionRefusedError"] > 0
