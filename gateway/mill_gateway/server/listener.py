"""Listening sockets, and the number of files that the process may open."""

import errno
import resource
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from mill_gateway.server.connections import AcceptedSocket, Connections
from mill_gateway.server.limits import capacity, of_each_address
from mill_gateway.settings import Settings
from mill_process.listening import bind

EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE_SECONDS: Final = 0.5


class Listener(socket.socket):
    """Listening socket whose connections are counted. asyncio calls `accept` until no connection is left."""

    connections: Connections
    _exhausted_at = 0.0

    def accept(self) -> tuple[AcceptedSocket, Any]:
        """Return a connection and its address, as `socket` does."""
        if self.connections.should_pause:
            raise BlockingIOError
        try:
            plain, address = super().accept()
        except OSError as error:
            if error.errno in EXHAUSTED:
                self._report_once()
            raise
        accepted = AcceptedSocket(self.family, self.type, self.proto, fileno=plain.detach())
        self.connections.admit(accepted, str(address[0]) if address else "")
        return accepted, address

    def _report_once(self) -> None:
        """Pass only the first of several errors to asyncio, which logs it and pauses for a second.

        Before it pauses, asyncio calls `accept` for each connection that may wait, and would log every failure.
        """
        now = time.monotonic()
        if now - self._exhausted_at < PAUSE_SECONDS:
            raise BlockingIOError from None
        self._exhausted_at = now


def listen(host: str, port: int, connections: Connections) -> Sequence[Listener]:
    """Bind to all addresses of a host, or of the machine (`*`). Raise OSError if one of them is not available."""
    listeners = bind(host, port, Listener)
    for listener in listeners:
        listener.connections = connections
        listener.settimeout(0)
    return listeners


def connections_of(settings: Settings, on_limit: Callable[[str], None]) -> Connections:
    """Return the empty set of connections, with limits by the settings and by the files that the process may open."""
    most = capacity(settings.max_connections, raise_file_limit())
    of_address = of_each_address(settings.max_connections_per_address, most)
    return Connections(most, of_address, on_limit, rest_seconds=settings.body_rest_seconds)


def raise_file_limit() -> int:
    """Raise the process's limit of open files as far as possible, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some kernels have a lower limit of their own
            return soft
    return hard if hard != resource.RLIM_INFINITY else 2**20
