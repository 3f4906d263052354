"""Requests by the client of the standard library: which connections it uses, and what it reports of broken ones."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mill_cli.connection.direct import DirectClient
from mill_cli.connection.transport import AnswerTimeout, ConnectError, HttpRequest, NotHttp, TransportError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
GET = HttpRequest("GET", "/v1/nodes", {"a": "b c"})


class Server:
    """A server that answers each request with the next of these bytes, and closes a connection at None."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []
        self.connections = 0
        self.address = ""

    def serve(self, connection: socket.socket) -> None:
        """Answer the requests of a connection."""
        self.connections += 1
        while received := connection.recv(65536):
            self.requests.append(received.decode())
            answer = self.answers.pop(0)
            if answer is None:
                return
            connection.sendall(answer)
            if self.answers[:1] == [None]:
                self.answers.pop(0)
                return

    @contextmanager
    def running(self, path: Path | None = None) -> Iterator["Server"]:
        """Serve while the block runs, at a socket in the file system if there is a path."""
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.serve(self.request)

        kind = socketserver.ThreadingTCPServer if path is None else socketserver.ThreadingUnixStreamServer
        with kind(("127.0.0.1", 0) if path is None else str(path), Handler) as server:
            server.daemon_threads = True
            if path is None:
                self.address = f"http://127.0.0.1:{server.server_address[1]}"
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            yield self
            server.shutdown()


def body(client: DirectClient, request: HttpRequest = GET, seconds: float = 30.0) -> bytes:
    with client.send(request, seconds) as answer:
        return b"".join(answer.parts())


def test_requests_share_a_connection() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n"
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    with Server(OK, chunked, empty, OK).running() as server:
        client = DirectClient(server.address + "/mill/", {"Mill-Token": "t"})
        assert [body(client) for _ in range(4)] == [b"[]", b"[]", b"", b"[]"]
        client.close()
    assert server.connections == 1
    assert {each.split("\r\n")[0] for each in server.requests} == {"GET /mill/v1/nodes?a=b%20c HTTP/1.1"}
    assert all("\r\nMill-Token: t\r\n" in each for each in server.requests)


def test_a_connection_that_the_gateway_has_closed_is_not_used_again() -> None:
    with Server(OK, None, OK).running() as server:
        client = DirectClient(server.address, {})
        assert body(client) == b"[]"
        (idle,) = client._idle
        assert idle.sock.recv(1, socket.MSG_PEEK) == b""  # until it has closed it
        assert body(client) == b"[]"
        client.close()
    assert server.connections == 2


def test_an_answer_that_is_not_read_to_its_end_closes_its_connection() -> None:
    with Server(OK, OK).running() as server:
        client = DirectClient(server.address, {})
        with client.send(GET, 30.0) as answer:
            assert answer.status == 200
        assert body(client) == b"[]"
        client.close()
    assert server.connections == 2


def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    with Server(OK, OK).running() as server:
        client = DirectClient(server.address, {})
        with client.send(GET, 30.0) as first, client.send(GET, 30.0) as second:
            assert [b"".join(each.parts()) for each in (first, second)] == [b"[]", b"[]"]
        assert len(client._idle) == 2
        client.close()


def test_a_closed_client_sends_nothing() -> None:
    client = DirectClient("http://127.0.0.1:1", {})
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        body(client)


def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    with Server(OK).running(tmp_path / "kubectl.sock") as server:
        client = DirectClient("http://localhost/api", {}, unix_socket=tmp_path / "kubectl.sock")
        assert body(client) == b"[]"
        client.close()
    assert server.requests[0].startswith("GET /api/v1/nodes?a=b%20c HTTP/1.1\r\nHost: localhost\r\n")


def test_a_user_of_the_address_comes_before_a_token() -> None:
    with Server(OK).running() as server:
        client = DirectClient(server.address.replace("//", "//me:p%40ss@"), {"Authorization": "Bearer t"})
        with client.send(GET, 30.0) as answer:
            assert answer.url == f"{server.address}/v1/nodes?a=b%20c"
        client.close()
    assert "\r\nAuthorization: Basic bWU6cEBzcw==\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", TransportError, "peer closed connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[", TransportError, "peer closed connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", TransportError, "peer closed connection"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotHttp, "SSH"),
        (b"", TransportError, "without sending a response"),
    ],
)
def test_an_answer_that_is_none(answer: bytes, error: type[Exception], text: str) -> None:
    with Server(answer, None).running() as server:
        client = DirectClient(server.address, {})
        with pytest.raises(error, match=text) as raised:
            body(client)
        assert type(raised.value) is error
        client.close()


def test_no_answer_in_time_and_no_connection() -> None:
    with Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[").running() as server:
        client = DirectClient(server.address, {})
        with pytest.raises(AnswerTimeout):
            body(client, seconds=0.1)
        client.close()
    with pytest.raises(ConnectError) as refused:
        body(DirectClient("http://127.0.0.1:1", {}))
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)


def test_an_address_with_an_invalid_host() -> None:
    with pytest.raises(ValueError, match="control characters"):
        DirectClient("http://a b", {})
