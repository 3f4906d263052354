"""Where the gateway is: an address, or a Service of a cluster that is reached through its API server."""

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
    """An address that this machine can reach."""

    address: str
    chosen: bool
    """Whether somebody chose it, rather than taking the default."""

    @property
    def origin(self) -> str:
        """Return scheme, host and port, and the user's name and password if there are any."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    def __str__(self) -> str:
        """Return how errors name it: without a password."""
        before, at, after = self.address.rpartition("@")
        return f"address: {before.partition('//')[0]}//…@{after}" if at else f"address: {self.address}"


@dataclass(frozen=True, slots=True)
class ThroughCluster:
    """A Service, behind the API server of a kubeconfig context."""

    context: str
    path: str
    """Where the API server passes requests on to it."""

    def __str__(self) -> str:
        return f"context: {self.context}"


Target = Direct | ThroughCluster


def target(options: Options) -> Target:
    """Return where the gateway is. Raise `CliError` where that cannot be."""
    if options.context is not None:
        return ThroughCluster(options.context, _path(options.gateway or DEFAULT_GATEWAY))
    address = (options.address or DEFAULT_ADDRESS).rstrip("/")
    if not _is_address(address):
        raise CliError(
            Exit.USAGE, f"{address} is no address of a gateway", "give it with its scheme, such as http://host:4400"
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
            Exit.USAGE, f"{service} is no Service", f"give it as namespace/name:port, such as {DEFAULT_GATEWAY}"
        )
    scheme = found["scheme"] or "http:"
    return f"/api/v1/namespaces/{found['namespace']}/services/{scheme}{found['name']}:{found['port']}/proxy"
