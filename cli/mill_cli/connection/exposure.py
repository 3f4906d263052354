"""Where a token goes in the clear: over plain HTTP, to another machine."""

import ipaddress
import urllib.request
from urllib.parse import urlsplit

from mill_cli.connection.target import Direct

_SAFE = "use https://, or --context, which goes through the API server"


def exposure(target: Direct, token: str | None) -> str | None:
    """Return what to tell somebody whose token others can read on its way; None if they cannot.

    Without TLS whoever is on the way has it, and so has a proxy of the environment that is asked for the address, even
    for one of this machine. With TLS a proxy only passes on what it cannot read.
    """
    parts = urlsplit(target.address)
    host = parts.hostname or ""
    if not token or parts.scheme != "http":
        return None
    if (proxy := _proxy(host, parts.port)) is not None:
        if is_loopback(proxy) and is_loopback(host):
            return None
        advice = f"NO_PROXY={host} goes past the proxy" if is_loopback(host) else _SAFE
        return f"warning: the token goes to {host} by the proxy {proxy} without encryption (http://)\n  help: {advice}"
    if is_loopback(host):
        return None
    return f"warning: the token goes to {host} without encryption (http://)\n  help: {_SAFE}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name: `localhost`, or an address such as 127.0.0.1."""
    name = host.removesuffix(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # Python before 3.13 says that ::ffff:127.0.0.1 is none
    return (mapped or address).is_loopback


def _proxy(host: str, port: int | None) -> str | None:
    """Return the host of the proxy that the environment names for plain HTTP to a host."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get("http") or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host if port is None else f"{host}:{port}"):
        return None
    try:
        return urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or proxy
    except ValueError:
        return "of the environment"
