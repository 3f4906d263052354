"""Limits of connections: their number, and the time that each phase may last."""

from enum import Enum
from typing import Final

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request's line and headers together."""
HEAD_TOO_LARGE: Final = f"the request's line and headers are larger than {HEAD_LIMIT} bytes"


class Phase(Enum):
    """State of a connection."""

    HANDSHAKE = "handshake"
    """The TLS handshake; without TLS only a moment."""
    HEAD = "head"
    """The request's line and headers arrive, or a new connection has not sent any yet."""
    ANSWER = "answer"
    """The gateway answers a request. Bodies have limits of their own, and a stream lasts while its client reads."""
    REST = "rest"
    """The request is answered, and the gateway discards the rest of its body. A client that is still sending would
    not read the answer if the gateway closed the connection at once."""
    IDLE = "idle"
    """No request is open."""
    CLOSING = "closing"
    """The connection is closing, and the client has not read the last bytes."""


SECONDS: Final = {
    Phase.HANDSHAKE: 10.0,
    Phase.HEAD: 10.0,
    Phase.IDLE: 5.0,
    Phase.CLOSING: 10.0,
}
"""Longest duration of each phase; that of `REST` is a setting."""
PRESSED_SECONDS: Final = {Phase.HANDSHAKE: 2.0, Phase.HEAD: 2.0, Phase.REST: 1.0, Phase.IDLE: 1.0, Phase.CLOSING: 2.0}
"""Longest duration of each phase while most of the allowed connections are open."""
PRESSED_SHARE: Final = 0.75
"""Share of the allowed connections from which the gateway is under pressure."""
ADDRESS_SHARE: Final = 0.75
"""Largest share of all connections for one address."""
UNREAD_SECONDS: Final = 60.0
LEAST_READ: Final = 16 * 1024
"""Bytes that a client must read within `UNREAD_SECONDS` while output waits for it, or all of it. A slower client is
dead or malicious, and its output takes memory."""
SURPLUS: Final = 32
"""Connections beyond the limit that the gateway still answers: probes as usual, other requests with the limit."""


def longest(phase: Phase, *, rest: float, pressed: bool) -> float | None:
    """Return the seconds that a phase may last, or None if it has no limit.

    `rest` is the limit of `Phase.REST` without pressure.
    """
    if phase is Phase.REST and not pressed:
        return rest
    return (PRESSED_SECONDS if pressed else SECONDS).get(phase)


def capacity(wanted: int, descriptors: int) -> int:
    """Return the number of connections for a process with a limit of open files.

    Each may need a second file, for the API server. Watches, files and `SURPLUS` need some, too.
    """
    return min(wanted, max(1, (descriptors - min(256, descriptors // 4)) // 2))


def of_each_address(wanted: int, all_connections: int) -> int:
    """Return the number of connections that one address may have."""
    return min(wanted, max(1, int(all_connections * ADDRESS_SHARE)))
