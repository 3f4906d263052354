"""How many connections there may be, and how long each may be in what it is doing."""

import ipaddress
from enum import Enum
from typing import Final


class Phase(Enum):
    """What a connection is doing."""

    HANDSHAKE = "handshake"
    """TLS is being agreed on; without TLS, for a moment, nothing."""
    HEAD = "head"
    """A request's line and headers are coming, or have not begun on a new connection."""
    ANSWER = "answer"
    """A request is being answered. Its body has limits of its own, its answer is made for as long as it is read."""
    REST = "rest"
    """A request has been answered, and the rest of its body is taken and thrown away. Who still sends would not read
    the answer if the connection were closed at once."""
    IDLE = "idle"
    """There is no request."""
    CLOSING = "closing"
    """The connection is being closed, and what was sent last has not been taken."""


SECONDS: Final = {
    Phase.HANDSHAKE: 10.0,
    Phase.HEAD: 10.0,
    Phase.IDLE: 5.0,
    Phase.CLOSING: 10.0,
}
"""How long each may last; the rest of a body has a setting."""
PRESSED_SECONDS: Final = {Phase.HANDSHAKE: 2.0, Phase.HEAD: 2.0, Phase.REST: 1.0, Phase.IDLE: 1.0, Phase.CLOSING: 2.0}
"""The same while most of the connections that there may be are in use."""
PRESSED_SHARE: Final = 0.75
ADDRESS_SHARE: Final = 0.75
"""The share of all connections that one address may have at most."""
UNREAD_SECONDS: Final = 60.0
LEAST_READ: Final = 16 * 1024
"""Bytes that a client takes in `UNREAD_SECONDS` of what waits for it, or all of it. One that takes less is dead or
means harm, whatever its machine says, and its memory is wanted."""
SURPLUS: Final = 32
"""Connections beyond the limit, which are told so. Probes are answered on them."""


def longest(phase: Phase, *, rest: float, pressed: bool) -> float | None:
    """Return for how many seconds a connection may be in a phase; None: as long as it likes.

    `rest` is how long it may be in `Phase.REST` while there is room for others.
    """
    if phase is Phase.REST and not pressed:
        return rest
    return (PRESSED_SECONDS if pressed else SECONDS).get(phase)


def capacity(wanted: int, descriptors: int) -> int:
    """Return how many connections there may be, where the process may have so many descriptors.

    Each may need another one, to the API server. Something is left for watches, files and `SURPLUS`.
    """
    return min(wanted, max(1, (descriptors - min(256, descriptors // 4)) // 2))


def of_each_address(wanted: int, all_connections: int) -> int:
    """Return how many connections one address may have."""
    return min(wanted, max(1, int(all_connections * ADDRESS_SHARE)))


def source(address: str) -> str:
    """Return what counts as one address: of IPv6 a network of 64 bits, which is what one machine is given."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ip) if ip.is_loopback else str(ipaddress.ip_network((ip, 64), strict=False))
    return address


def is_loopback(address: str) -> bool:
    """Tell whether a source is this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # a network
        return False
