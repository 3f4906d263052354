"""Open connections: counted from the moment the gateway accepts them, and supervised until they are closed."""

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from mill_gateway.server.addresses import source
from mill_gateway.server.limits import PRESSED_SHARE, SURPLUS, Phase, longest

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 1.0
"""Time between two checks of all connections."""
WARNING_SECONDS: Final = 60.0
"""Shortest time between two log lines about refused connections."""
SURPLUS_AT_ONCE: Final = 4
"""Connections beyond the limit that the gateway accepts in one turn of the event loop. It can answer each of them
before it has to end it for a later one."""

ALL: Final = "connections"
OF_ADDRESS: Final = "connections_per_address"
"""Names of the limits in the metrics."""


class HttpConnection(Protocol):
    """The protocol of a connection whose TLS handshake is complete."""

    def phase(self) -> Phase:
        """Return the current phase."""

    def request(self) -> object:
        """Return an object that is a different one for each request."""

    def expire(self, phase: Phase, seconds: float) -> None:
        """End the connection, since the phase has lasted for `seconds`, its limit."""

    def check_unread(self, now: float) -> None:
        """End the connection if its client does not read its output."""

    def abort(self) -> None:
        """End the connection at once."""


class AcceptedSocket(socket.socket):
    """Socket of one connection."""

    def admit(self, connections: "Connections", address: str, limit: str | None) -> None:
        """Start the supervision. `limit` is the name of the limit that this connection exceeds."""
        self.connections = connections
        self.address = address
        self.limit = limit
        self.http: HttpConnection | None = None
        self.since = time.monotonic()
        self.state: tuple[Phase, object] = (Phase.HANDSHAKE, None)

    def close(self) -> None:
        """Close the socket, and release its slot."""
        self.connections.remove(self)
        super().close()

    def end(self) -> None:
        """End the connection in any phase."""
        if self.http is not None:
            self.http.abort()
            return
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)  # asyncio's TLS code, which has the socket, takes this for the client's end

    def check(self, now: float, *, pressed: bool) -> None:
        """End the connection if its phase has lasted too long, or its client does not read."""
        phase, request = (Phase.HANDSHAKE, None) if self.http is None else (self.http.phase(), self.http.request())
        if self.state[0] is not phase or self.state[1] is not request:
            self.state, self.since = (phase, request), now
        seconds = longest(phase, rest=self.connections.rest_seconds, pressed=pressed or self.limit is not None)
        if seconds is not None and now - self.since >= seconds:
            if self.http is None:
                self.end()
            else:
                self.http.expire(phase, seconds)
        if self.http is not None:
            self.http.check_unread(now)


class Connections:
    """All open connections, and their limits."""

    def __init__(
        self,
        most: int,
        of_address: int,
        on_limit: Callable[[str], None] = lambda _: None,
        *,
        rest_seconds: float = 10.0,
    ) -> None:
        """Allow `most` connections, and `of_address` of each address. `on_limit` gets the name of an exceeded limit.

        `rest_seconds` is the longest time for the rest of a body whose request is answered.
        """
        self.most = most
        self.of_address = of_address
        self.rest_seconds = rest_seconds
        self._on_limit = on_limit
        self._open: dict[int, AcceptedSocket] = {}
        """By file descriptor."""
        self._surplus: dict[int, AcceptedSocket] = {}
        """Those beyond a limit that the gateway has not ended, oldest first."""
        self._within = 0
        self._by_address: Counter[str] = Counter()
        self._sweeping = False
        self._surplus_in_turn = 0
        self._warned_at = 0.0
        self._refused_since_warning = 0

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

    @property
    def pressed(self) -> bool:
        """Whether most of the allowed connections are open."""
        return self._within >= self.most * PRESSED_SHARE

    @property
    def should_pause(self) -> bool:
        """Whether the listener should accept no more in this turn of the event loop."""
        return self._surplus_in_turn >= SURPLUS_AT_ONCE

    def admit(self, connection: AcceptedSocket, address: str) -> None:
        """Count a connection. Beyond a limit, mark it, and end the oldest of too many marked ones."""
        counted_as = source(address)
        limit = None
        if self._within >= self.most:
            limit = ALL
        elif self._by_address[counted_as] >= self.of_address:
            limit = OF_ADDRESS
        connection.admit(self, counted_as, limit)
        self._open[connection.fileno()] = connection
        if limit is None:
            self._within += 1
            self._by_address[counted_as] += 1
        else:
            self._exceed(connection, limit)
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def remove(self, connection: AcceptedSocket) -> None:
        """Release the slot of a closed connection."""
        if self._open.pop(connection.fileno(), None) is None:
            return
        if connection.limit is not None:
            self._surplus.pop(connection.fileno(), None)
            return
        self._within -= 1
        self._by_address[connection.address] -= 1
        if not self._by_address[connection.address]:
            del self._by_address[connection.address]

    def attach(self, descriptor: int, http: HttpConnection) -> str | None:
        """Supervise a connection by its protocol from now on. Return the name of the limit that it exceeds."""
        connection = self._open[descriptor]
        connection.http = http
        return connection.limit

    def _exceed(self, connection: AcceptedSocket, limit: str) -> None:
        self._on_limit(limit)
        self._warn(limit)
        self._surplus[connection.fileno()] = connection
        if len(self._surplus) > SURPLUS:
            self._surplus.pop(next(iter(self._surplus))).end()
        if not self._surplus_in_turn:
            asyncio.get_running_loop().call_soon(self._start_turn)
        self._surplus_in_turn += 1

    def _start_turn(self) -> None:
        self._surplus_in_turn = 0

    def _warn(self, limit: str) -> None:
        self._refused_since_warning += 1
        if (now := time.monotonic()) - self._warned_at >= WARNING_SECONDS or not self._warned_at:
            log.warning(
                "connections: refused %d since the last such line, %s reached; open: %d, limits: %d, %d per address",
                self._refused_since_warning,
                limit,
                len(self._open),
                self.most,
                self.of_address,
            )
            self._warned_at, self._refused_since_warning = now, 0

    def _sweep(self) -> None:
        """Check every connection."""
        now, pressed = time.monotonic(), self.pressed
        for connection in list(self._open.values()):
            connection.check(now, pressed=pressed)
        self._sweeping = bool(self._open)
        if self._sweeping:
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
