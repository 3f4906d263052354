"""Addresses of clients, as limits count them."""

import ipaddress


def source(address: str) -> str:
    """Return the unit that counts as one address: of IPv6 the /64 network, which one machine usually gets."""
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
    """Whether a source is this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # a network
        return False
