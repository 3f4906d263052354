"""Proxies that the environment sets."""

import os
import sys


def environment_proxies() -> dict[str, str]:
    """Return the proxies by scheme, `all` and `no` included, as the standard library finds them."""
    # Its module takes long to import. macOS and Windows have settings outside of the environment.
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    import urllib.request

    return urllib.request.getproxies()


def is_bypassed(host: str) -> bool:
    """Whether `NO_PROXY` has a host, which may have a port."""
    import urllib.request

    return bool(urllib.request.proxy_bypass(host))


def has_proxy(scheme: str) -> bool:
    """Whether there is a proxy for addresses of a scheme, whatever `NO_PROXY` has."""
    proxies = environment_proxies()
    return bool(proxies.get(scheme) or proxies.get("all"))
