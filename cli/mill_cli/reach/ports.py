"""Ports: as a user writes them, and those of this machine."""

import re
import socket
from typing import Final, NamedTuple

import click

from mill_api import names
from mill_cli.errors import CliError, Exit

LOOPBACK: Final = "127.0.0.1"
ANY: Final = 0
_LARGEST: Final = 65_535
_NAME: Final = re.compile(names.PORT_NAME)


class Ports(NamedTuple):
    """The ports of a forwarding; None where none was given."""

    local: int | None = None
    """Of this machine; 0: any that is free."""
    remote: int | str | None = None
    """Of the pod: a number, or the name of a port of the service."""


class PortsParameter(click.ParamType[Ports]):
    """`PORT`, `LOCAL:PORT` or `:PORT`, as kubectl takes them; PORT may be the name of a port."""

    name = "ports"

    def convert(self, value: str | Ports, param: click.Parameter | None, ctx: click.Context | None) -> Ports:
        """Return the ports. Raise `click.BadParameter`."""
        if isinstance(value, Ports):
            return value
        local, colon, remote = value.rpartition(":")
        if not colon:
            return Ports(None, self._remote(remote, param, ctx))
        return Ports(self._port(local or "0", ANY, param, ctx), self._remote(remote, param, ctx))

    def _remote(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return text if _NAME.fullmatch(text) else self._port(text, 1, param, ctx)

    def _port(self, text: str, least: int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not (
            text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST)) and least <= int(text) <= _LARGEST
        ):
            self.fail(f"'{text[:20]}' is no port: expected PORT or LOCAL:PORT, from 1 to {_LARGEST}", param, ctx)
        return int(text)


def local_port(wanted: int | None, remote: int) -> int:
    """Return a port of this machine that is free: the wanted one, or if none is wanted that of the pod or any other.

    Raise `CliError` if the wanted one is not free.
    """
    port = remote if wanted is None else wanted
    problem = _problem(port) if port != ANY else None
    if problem is None and port != ANY:
        return port
    if problem is not None and wanted is not None:
        raise CliError(
            Exit.FAILED,
            f"cannot listen on port {wanted} of this machine: {problem}",
            f"choose another one, such as `:{remote}` for any that is free",
        )
    with socket.socket() as probe:
        probe.bind((LOOPBACK, ANY))
        return int(probe.getsockname()[1])


def _problem(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as kubectl: closed connections may linger
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return (error.strerror or "it is not available").lower()
    return None
