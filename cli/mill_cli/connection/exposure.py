"""Tokens sent without encryption: over plain HTTP, to another machine."""

import ipaddress
from urllib.parse import urlsplit

from mill_cli.connection.proxies import environment_proxies, is_bypassed
from mill_cli.connection.target import Direct

_SAFE = "use https://, or --context to connect through the API server"


def exposure(target: Direct, token: str | None) -> str | None:
    """Return the warning about a token that others can read in transit; None if they cannot.

    Without TLS every machine in between can read it, and so can a proxy that the environment sets, even one that
    is used for an address of this machine. With TLS a proxy forwards what it cannot read.
    """
    parts = urlsplit(target.address)
    host = parts.hostname or ""
    if not token or parts.scheme != "http":
        return None
    if (proxy := _proxy(host, parts.port)) is not None:
        if is_loopback(proxy) and is_loopback(host):
            return None
        advice = f"set NO_PROXY={host} to connect without the proxy" if is_loopback(host) else _SAFE
        return (
            f"warning: the token is sent to {host} through the proxy {proxy} without encryption (http://)\n"
            f"  help: {advice}"
        )
    if is_loopback(host):
        return None
    return f"warning: the token is sent to {host} without encryption (http://)\n  help: {_SAFE}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name: `localhost`, or an address such as 127.0.0.1."""
    name = host.removesuffix(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # before Python 3.13, is_loopback is False for ::ffff:127.0.0.1
    return (mapped or address).is_loopback


def _proxy(host: str, port: int | None) -> str | None:
    """Return the host of the proxy that the environment sets for plain HTTP to a host; None if there is none."""
    proxies = environment_proxies()
    proxy = proxies.get("http") or proxies.get("all")
    if not proxy or is_bypassed(host if port is None else f"{host}:{port}"):
        return None
    try:
        return urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or proxy
    except ValueError:
        return "of the environment"
