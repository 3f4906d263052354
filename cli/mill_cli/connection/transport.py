"""Requests and answers of HTTP as plain data, and what may go wrong between them.

`direct` and `proxied` send requests; everything else of the command line knows these types alone.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

CONNECT_SECONDS: Final = 10.0
"""Timeout of a connection, its TLS handshake included, and of sending."""
REDIRECTS: Final = (301, 302, 303, 307, 308)


class TransportError(Exception):
    """There is no whole answer. The first error of the chain of causes has the details."""


class ConnectError(TransportError):
    """There is no connection."""


class ConnectTimeout(ConnectError):
    """There is no connection in time."""


class ProxyError(ConnectError):
    """The proxy refused the connection."""


class AnswerTimeout(TransportError):
    """There is no answer in time, or no further part of it."""


class NotHttp(TransportError):
    """The answer is not HTTP."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to the gateway."""

    method: str
    path: str
    """Below the address of the gateway, quoted."""
    query: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is not yet read."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    url: str
    """Address of the request, without user name and password."""
    parts: Callable[[], Iterator[bytes]]
    """Yields the uncompressed body as it arrives, once. Raises `TransportError`."""

    @property
    def is_success(self) -> bool:
        """Whether the request was accepted."""
        return 200 <= self.status < 300

    @property
    def location(self) -> str | None:
        """Where a redirect leads; None if it is none."""
        return self.headers.get("location") if self.status in REDIRECTS else None


class Client(Protocol):
    """Sends requests to one address, from several threads."""

    def send(self, request: HttpRequest, read_seconds: float) -> AbstractContextManager[Answer]:
        """Send a request and yield its answer. Raise `TransportError`, and `RuntimeError` if it is closed."""

    def close(self) -> None:
        """Close the connections."""


def json_content(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
