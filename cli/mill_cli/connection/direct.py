"""Requests without a proxy, by the HTTP client of the standard library.

It is imported in a third of the time of a client that knows proxies, and most commands last no longer than that.
"""

import contextlib
import select
import socket
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from mill_cli.connection.standard_http import (
    BadStatusLine,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    RemoteDisconnected,
)
from mill_cli.connection.transport import (
    CONNECT_SECONDS,
    Answer,
    AnswerTimeout,
    ConnectError,
    ConnectTimeout,
    HttpRequest,
    NotHttp,
    TransportError,
)

if TYPE_CHECKING:
    import ssl

_PART_BYTES: Final = 65536
_ENCODINGS: Final = ("gzip", "deflate")
_ANY_HEADER: Final = zlib.MAX_WBITS | 32
"""zlib tells gzip and deflate by their first bytes."""
_CUT: Final = "peer closed connection without sending the whole body"
_PATH_CHARACTERS: Final = "/%:@!$&'()*+,;="


class _Tls(HTTPConnection):
    default_port = 443

    def __init__(self, host: str, port: int, context: "ssl.SSLContext") -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._context = context

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


class _Unix(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=CONNECT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_SECONDS)
        self.sock.connect(str(self._path))


class DirectClient:
    """Client of one address, with a connection for each request that is not answered yet; idle ones are kept."""

    def __init__(
        self,
        address: str,
        headers: dict[str, str],
        *,
        context: "ssl.SSLContext | None" = None,
        unix_socket: Path | None = None,
    ) -> None:
        """`context` is for `https:`. Raise `ValueError` for an invalid address."""
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        self._prefix = quote(parts.path.rstrip("/"), safe=_PATH_CHARACTERS)
        self._origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._headers = {"Accept": "*/*", "Accept-Encoding": ", ".join(_ENCODINGS), **headers}
        if parts.username or parts.password:
            user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(user.encode()).decode()}"
        self._connect: Callable[[], HTTPConnection]
        if unix_socket is not None:
            self._connect = lambda: _Unix(unix_socket)
        elif context is not None:
            self._connect = lambda: _Tls(host, port or 443, context)
        else:
            self._connect = lambda: HTTPConnection(host, port or 80, timeout=CONNECT_SECONDS)
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._closed = False
        try:
            self._idle.append(self._connect())
        except HTTPException as error:
            raise ValueError(str(error)) from error

    def close(self) -> None:
        """Close the idle connections, and each of the others when its answer is over."""
        with self._lock:
            self._closed = True
            for each in self._idle:
                each.close()
            self._idle.clear()

    @contextlib.contextmanager
    def send(self, request: HttpRequest, read_seconds: float) -> Iterator[Answer]:
        """Send a request and yield its answer. Raise `TransportError`, and `RuntimeError` if the client is closed."""
        connection = self._take()
        is_kept = False
        try:
            with contextlib.closing(self._exchange(connection, request, read_seconds)) as response:
                yield self._answer(request, response)
                is_kept = response.isclosed() and connection.sock is not None and self._keep(connection)
        finally:
            if not is_kept:
                connection.close()

    def _take(self) -> HTTPConnection:
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            while self._idle:
                connection = self._idle.pop()
                if connection.sock is None or not select.select([connection.sock], [], [], 0)[0]:
                    return connection
                connection.close()  # by the gateway, too: there is nothing else to read
        return self._connect()

    def _keep(self, connection: HTTPConnection) -> bool:
        """Keep a connection for the next request, and return whether it is kept."""
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
            return not self._closed

    def _exchange(self, connection: HTTPConnection, request: HttpRequest, read_seconds: float) -> HTTPResponse:
        if connection.sock is None:
            try:
                connection.connect()
            except TimeoutError as error:
                raise ConnectTimeout(str(error)) from error
            except (OSError, UnicodeError) as error:
                raise ConnectError(str(error)) from error
        with _reported():
            connection.sock.settimeout(CONNECT_SECONDS)
            target = self._prefix + request.target
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the gateway may have refused already
                connection.request(request.method, target, request.content, self._headers | request.headers)
            connection.sock.settimeout(read_seconds)
            return connection.getresponse()

    def _answer(self, request: HttpRequest, response: HTTPResponse) -> Answer:
        headers = {name.lower(): value for name, value in response.getheaders()}
        url = self._origin + self._prefix + request.target
        encoding = headers.get("content-encoding", "")
        return Answer(response.status, headers, url, lambda: uncompressed(_parts(response), encoding))


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """Raise `TransportError` for what the standard library raises."""
    try:
        yield
    except TimeoutError as error:
        raise AnswerTimeout(str(error)) from error
    except RemoteDisconnected as error:
        raise TransportError("server disconnected without sending a response") from error
    except BadStatusLine as error:
        raise NotHttp(str(error)) from error
    except IncompleteRead as error:
        raise TransportError(_CUT) from error
    except (HTTPException, OSError, ValueError) as error:  # ValueError: closed by another thread
        raise TransportError(str(error) or type(error).__name__) from error


def uncompressed(parts: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the parts of a body without the compression that its `Content-Encoding` names. Raise `TransportError`."""
    if encoding.lower() not in _ENCODINGS:
        yield from parts
        return
    decompress = zlib.decompressobj(_ANY_HEADER)
    try:
        for part in parts:
            yield decompress.decompress(part)
    except zlib.error as error:
        raise TransportError(str(error)) from error


def _parts(response: HTTPResponse) -> Iterator[bytes]:
    while True:
        with _reported():
            part = response.read1(_PART_BYTES)
        if not part:
            break
        yield part
    if response.length:  # `read1` does not compare
        raise TransportError(_CUT)
    with _reported():
        response.read()  # so that the connection can be used again
