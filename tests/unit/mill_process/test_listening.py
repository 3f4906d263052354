"""Where a process listens: on all addresses of a name, of both families, as far as the kernel has them."""

import errno
import socket
from typing import Any

import pytest

from mill_process.listening import authority, bind

IPV4, IPV6 = socket.AF_INET, socket.AF_INET6


class Kernel(socket.socket):
    """A socket of a kernel that lacks a family, or has it and no address of it."""

    lacks: tuple[int, ...] = ()
    number = errno.EAFNOSUPPORT

    def bind(self, address: Any) -> None:
        if self.family in self.lacks:
            raise OSError(self.number, "not here")
        super().bind(address)


def families(host: str, kind: type[socket.socket] = socket.socket, port: int = 0) -> set[int]:
    made = bind(host, port, kind)
    try:
        return {each.family for each in made}
    finally:
        for each in made:
            each.close()


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
@pytest.mark.parametrize(("lacks", "left"), [((), {IPV4, IPV6}), ((IPV6,), {IPV4}), ((IPV4,), {IPV6})])
def test_everywhere_is_each_family_that_the_kernel_has(lacks: tuple[int, ...], left: set[int], number: int) -> None:
    kernel = type("This", (Kernel,), {"lacks": lacks, "number": number})
    assert families("*", kernel) == left


def test_a_kernel_without_any_family_is_an_error() -> None:
    kernel = type("This", (Kernel,), {"lacks": (IPV4, IPV6)})
    with pytest.raises(OSError, match="not here"):
        bind("*", 0, kernel)


def test_an_address_of_a_family_that_is_missing_is_an_error_where_it_is_named() -> None:
    kernel = type("This", (Kernel,), {"lacks": (IPV6,)})
    with pytest.raises(OSError, match="not here"):
        bind("::1", 0, kernel)


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", {IPV4}), ("::", {IPV6}), ("::1", {IPV6})])
def test_an_address_is_of_its_family(host: str, expected: set[int]) -> None:
    assert families(host) == expected


def test_one_port_serves_both_families_and_shows_addresses_as_they_are() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    made = bind("*", port, socket.socket)
    try:
        for each in made:
            each.listen()
        for family, address in ((IPV4, "127.0.0.1"), (IPV6, "::1")):
            with socket.create_connection((address, port), timeout=5):
                (there,) = [each for each in made if each.family == family]
                accepted, peer = there.accept()
                accepted.close()
                assert peer[0] == address
    finally:
        for each in made:
            each.close()


def test_a_port_that_is_taken_leaves_no_socket_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for host in ("127.0.0.1", "*"):
            with pytest.raises(OSError, match="Address already in use"):
                bind(host, taken.getsockname()[1], socket.socket)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("localhost", "localhost:80"), ("*", "*:80")],
)
def test_an_address_of_ipv6_has_brackets_before_its_port(host: str, shown: str) -> None:
    assert authority(host, 80) == shown
