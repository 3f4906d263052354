"""Sockets that listen on every address of a host, of IPv4 and IPv6."""

import errno
import socket
from typing import Final, TypeVar

S = TypeVar("S", bound=socket.socket)

EVERYWHERE: Final = "*"
"""Host that stands for all addresses of the machine, in both families as far as it has them."""
_NO_SUCH_FAMILY: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


def bind(host: str, port: int, kind: type[S]) -> list[S]:
    """Bind a socket to each address of a host. Raise OSError if one of them is not available.

    Each family has a socket of its own, so that addresses of clients stay what they are. Where the host is `*`, a
    family that the kernel does not have is left out: the same setting fits pods with IPv4, IPv6 and both.
    """
    everywhere = host == EVERYWHERE
    found = socket.getaddrinfo(None if everywhere else host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[S] = []
    missing: OSError | None = None
    try:
        for family, type_, protocol, _, address in dict.fromkeys(found):
            try:
                bound.append(_bound(kind, family, type_, protocol, address))
            except OSError as error:
                if not everywhere or error.errno not in _NO_SUCH_FAMILY:
                    raise
                missing = error
        if missing is not None and not bound:
            raise missing
    except OSError:
        for each in bound:
            each.close()
        raise
    return bound


def authority(host: str, port: int) -> str:
    """Return host and port as a URL has them: an address of IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bound(kind: type[S], family: int, type_: int, protocol: int, address: tuple[object, ...]) -> S:
    made = kind(family, type_, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
