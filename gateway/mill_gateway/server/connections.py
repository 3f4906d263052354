"""The connections that are open: counted from the moment they are accepted, and each watched until it is closed."""

import asyncio
import errno
import logging
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from mill_gateway.server.limits import PRESSED_SHARE, SURPLUS, Phase, capacity, longest, of_each_address, source
from mill_gateway.settings import Settings

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 1.0
"""How often all connections are looked at."""
TELL_SECONDS: Final = 60.0
"""How often the log hears of connections that are refused, at most."""
SURPLUS_AT_ONCE: Final = 4
"""Connections beyond the limit that are accepted in one turn of the event loop, so that each of them can be answered
before later ones take its place."""
EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

ALL: Final = "connections"
OF_ADDRESS: Final = "connections_per_address"
"""The limits, as metrics name them."""


class Served(Protocol):
    """What a connection is once something can be received from it."""

    def phase(self) -> Phase:
        """Return what it is doing."""

    def request(self) -> object:
        """Return what is another object for each request."""

    def expire(self, phase: Phase, seconds: float) -> None:
        """End it, since a phase has lasted for so many seconds, and may not."""

    def look(self, now: float) -> None:
        """See whether its client takes what it is sent."""

    def abort(self) -> None:
        """End it at once."""


class Accepted(socket.socket):
    """A connection's socket."""

    def admit(self, connections: "Connections", address: str, limit: str | None) -> None:
        """Note that it is open."""
        self.connections = connections
        self.address = address
        self.limit = limit
        """The limit that it exceeds."""
        self.served: Served | None = None
        self.since = time.monotonic()
        self.doing: tuple[Phase, object] = (Phase.HANDSHAKE, None)

    def close(self) -> None:
        """Close it, and make room for another one."""
        self.connections.closed(self)
        super().close()

    def end(self) -> None:
        """Have it closed, whatever it is doing."""
        if self.served is not None:
            self.served.abort()
            return
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)  # which whoever has it by now takes for the client's

    def look(self, now: float, *, pressed: bool) -> None:
        """End it if it has been doing the same for too long."""
        phase, request = (
            (Phase.HANDSHAKE, None) if self.served is None else (self.served.phase(), self.served.request())
        )
        if self.doing[0] is not phase or self.doing[1] is not request:
            self.doing, self.since = (phase, request), now
        hurried = pressed or self.limit is not None
        limit = longest(phase, rest=self.connections.rest_seconds, pressed=hurried)
        if limit is not None and now - self.since >= limit:
            if self.served is None:
                self.end()
            else:
                self.served.expire(phase, limit)
        if self.served is not None:
            self.served.look(now)


class Connections:
    """All that are open, and how many there may be."""

    def __init__(
        self, most: int, of_address: int, refused: Callable[[str], None] = lambda _: None, *, rest_seconds: float = 10.0
    ) -> None:
        """Take so many, and so many of each address. `refused` is told which limit another one has met.

        `rest_seconds` is how long the rest of a body is taken whose request has been answered.
        """
        self.most = most
        self.of_address = of_address
        self.rest_seconds = rest_seconds
        self._refused = refused
        self._open: dict[int, Accepted] = {}
        self._surplus: dict[int, Accepted] = {}
        """Those beyond a limit that have not been ended, in the order in which they came."""
        self._within = 0
        self._by_address: Counter[str] = Counter()
        self._sweeping = False
        self._surplus_now = 0
        self._told = 0.0
        self._untold = 0

    @classmethod
    def of(cls, settings: Settings, refused: Callable[[str], None]) -> "Connections":
        """Return an empty set, as large as the settings and the process' limit of open files allow."""
        most = capacity(settings.max_connections, raised_descriptors())
        of_address = of_each_address(settings.max_connections_per_address, most)
        return cls(most, of_address, refused, rest_seconds=settings.body_rest_seconds)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._open)

    @property
    def pressed(self) -> bool:
        """Whether most of those that there may be are in use."""
        return self._within >= self.most * PRESSED_SHARE

    @property
    def waiting(self) -> bool:
        """Whether no more should be accepted in this turn of the event loop."""
        return self._surplus_now >= SURPLUS_AT_ONCE

    def admit(self, connection: Accepted, address: str) -> None:
        """Count a connection. One too many is noted as such, and the oldest of those ends where there are too many."""
        place = source(address)
        limit = None
        if self._within >= self.most:
            limit = ALL
        elif self._by_address[place] >= self.of_address:
            limit = OF_ADDRESS
        connection.admit(self, place, limit)
        self._open[connection.fileno()] = connection
        if limit is None:
            self._within += 1
            self._by_address[place] += 1
        else:
            self._exceed(connection, limit)
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def closed(self, connection: Accepted) -> None:
        """Forget a connection."""
        if self._open.pop(connection.fileno(), None) is None:
            return
        if connection.limit is not None:
            self._surplus.pop(connection.fileno(), None)
            return
        self._within -= 1
        self._by_address[connection.address] -= 1
        if not self._by_address[connection.address]:
            del self._by_address[connection.address]

    def serve(self, descriptor: int, served: Served) -> str | None:
        """Watch a connection by what is received from it. Return the limit that it exceeds."""
        connection = self._open[descriptor]
        connection.served = served
        return connection.limit

    def _exceed(self, connection: Accepted, limit: str) -> None:
        self._refused(limit)
        self._tell(limit)
        self._surplus[connection.fileno()] = connection
        if len(self._surplus) > SURPLUS:
            self._surplus.pop(next(iter(self._surplus))).end()
        if not self._surplus_now:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._surplus_now += 1

    def _next_turn(self) -> None:
        self._surplus_now = 0

    def _tell(self, limit: str) -> None:
        self._untold += 1
        if (now := time.monotonic()) - self._told >= TELL_SECONDS or not self._told:
            log.warning(
                "%d refused since the last such line: %d connections are open, of %d at most and %d of each address "
                "(met now: %s)",
                self._untold,
                len(self._open),
                self.most,
                self.of_address,
                limit,
            )
            self._told, self._untold = now, 0

    def _sweep(self) -> None:
        """Look at every connection."""
        now, pressed = time.monotonic(), self.pressed
        for connection in list(self._open.values()):
            connection.look(now, pressed=pressed)
        self._sweeping = bool(self._open)
        if self._sweeping:
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)


class Listener(socket.socket):
    """A socket that accepts connections for asyncio, which calls it until it has no more."""

    connections: Connections
    _exhausted_at = 0.0

    def accept(self) -> tuple[Accepted, Any]:
        """Return a connection and its address, as `socket` does."""
        if self.connections.waiting:
            raise BlockingIOError
        try:
            plain, address = super().accept()
        except OSError as error:
            if error.errno in EXHAUSTED:
                self._pause()
            raise
        accepted = Accepted(self.family, self.type, self.proto, fileno=plain.detach())
        self.connections.admit(accepted, str(address[0]) if address else "")
        return accepted, address

    def _pause(self) -> None:
        """Let asyncio hear only once that nothing can be accepted: it pauses for a second then.

        It tries on before that, for each connection that may wait, and would log each failure.
        """
        now = time.monotonic()
        if now - self._exhausted_at < 0.5:
            raise BlockingIOError from None
        self._exhausted_at = now


def listen(host: str, port: int, connections: Connections) -> Sequence[Listener]:
    """Bind to all addresses of a host. Raise OSError if one cannot be had."""
    listeners: list[Listener] = []
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listener = Listener(family, kind, protocol)
            listeners.append(listener)
            listener.connections = connections
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.settimeout(0)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def raised_descriptors() -> int:
    """Let the process have as many open files as it may, and return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # as on systems whose kernel has a lower limit of its own
            return soft
    return hard if hard != resource.RLIM_INFINITY else 2**20
