"""Location of the gateway: an address, or a Service of a cluster behind its API server."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from mill_cli.errors import CliError, Exit
from mill_cli.options import Options

DEFAULT_ADDRESS: Final = "http://127.0.0.1:4400"
DEFAULT_GATEWAY: Final = "mill-system/mill-gateway:4400"
_SERVICE: Final = re.compile(r"(?P<scheme>https?:)?(?P<namespace>[-a-z0-9]+)/(?P<name>[-a-z0-9]+):(?P<port>[-a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Direct:
    """An address, reached directly."""

    address: str
    chosen: bool
    """Whether an option or a variable sets it, rather than the default."""

    @property
    def origin(self) -> str:
        """Scheme, host and port, with user name and password if there are any."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def place(self) -> str:
        """The address without a password."""
        before, at, after = self.address.rpartition("@")
        return f"{before.partition('//')[0]}//…@{after}" if at else self.address

    def __str__(self) -> str:
        """Return the name for errors."""
        return f"address: {self.place}"


@dataclass(frozen=True, slots=True)
class ThroughCluster:
    """A Service, behind the API server of a kubeconfig context."""

    context: str
    path: str
    """Path of the API server that forwards requests to the Service."""

    @property
    def place(self) -> str:
        """The context."""
        return f"context {self.context}"

    def __str__(self) -> str:
        return f"context: {self.context}"


Target = Direct | ThroughCluster


def target(options: Options) -> Target:
    """Return the location of the gateway. Raise `CliError` for invalid options."""
    if options.context is not None:
        return ThroughCluster(options.context, _path(options.gateway or DEFAULT_GATEWAY))
    address = (options.address or DEFAULT_ADDRESS).rstrip("/")
    if not _is_address(address):
        raise CliError(
            Exit.USAGE, f"invalid gateway address: {address}", "include the scheme, such as http://host:4400"
        )
    return Direct(address, options.address is not None)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _path(service: str) -> str:
    found = _SERVICE.fullmatch(service)
    if found is None:
        raise CliError(
            Exit.USAGE, f"invalid Service reference: {service}", f"use namespace/name:port, such as {DEFAULT_GATEWAY}"
        )
    scheme = found["scheme"] or "http:"
    return f"/api/v1/namespaces/{found['namespace']}/services/{scheme}{found['name']}:{found['port']}/proxy"
