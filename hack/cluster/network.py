"""The bridge that pods hang on, its addresses, and the few packet filter rules of our own."""

import json
import re
from pathlib import Path
from typing import Final

from hack.cluster import variants
from hack.commands import CommandFailed, run

BRIDGE: Final = "mill0"
GATEWAY: Final = "10.244.0.1"
"""The machine's own address on the bridge: API server, kubelet and DNS listen here, where pods reach them."""

NODE_PODS: Final = "10.244.0.0/18"
"""Pod addresses of the first node; wide, because an address that comes round again soon makes a pod slow to start."""

PODS: Final = "10.244.0.0/16"
SERVICES: Final = "10.96.0.0/16"
FIRST_SERVICE: Final = "10.96.0.1"
"""The address of the `kubernetes` Service: always the first of the range."""

GATEWAY_6: Final = "fd00:6d69:244::1"
NODE_PODS_6: Final = "fd00:6d69:244::/64"
PODS_6: Final = NODE_PODS_6
SERVICES_6: Final = "fd00:6d69:96::/112"
"""The same for IPv6, where the cluster has both."""

_MARK: Final = "mill-dev"


def services() -> str:
    """Return the ranges of addresses of Services."""
    return f"{SERVICES},{SERVICES_6}" if variants.is_dual_stack() else SERVICES


def pods() -> str:
    """Return the ranges of addresses of pods."""
    return f"{PODS},{PODS_6}" if variants.is_dual_stack() else PODS


def create() -> None:
    """Create the bridge with its address, forwarding, and address translation for what pods send to the outside."""
    prefix = NODE_PODS.partition("/")[2]
    # A fixed hardware address: otherwise the bridge takes a new one with each port, and pods keep the old in mind.
    run("ip", "link", "add", BRIDGE, "address", "0a:58:0a:f4:00:01", "type", "bridge")
    run("ip", "address", "add", f"{GATEWAY}/{prefix}", "dev", BRIDGE)
    if variants.is_dual_stack():
        run("ip", "address", "add", f"{GATEWAY_6}/64", "dev", BRIDGE, "nodad")
        Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
    run("ip", "link", "set", BRIDGE, "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    _rule("filter", "FORWARD", "-i", BRIDGE, "-j", "ACCEPT")
    _rule("filter", "FORWARD", "-o", BRIDGE, "-j", "ACCEPT")
    _rule("nat", "POSTROUTING", "-s", PODS, "!", "-d", PODS, "-j", "MASQUERADE")


def exists() -> bool:
    """Whether the bridge is there."""
    return Path(f"/sys/class/net/{BRIDGE}").exists()


def remove() -> None:
    """Remove the bridge with the devices on it, and the rules of ours, of the kubelet and of kube-proxy."""
    for device in [*_ports(), *([BRIDGE] if exists() else [])]:
        _quietly("ip", "link", "delete", device)
    for family in ("iptables", "ip6tables"):
        _remove_rules(family)
    # Connections that were translated to pods which are gone.
    for option in ("--orig-dst", "--reply-src"):
        for addresses in (PODS, SERVICES):
            _quietly("conntrack", "-D", option, addresses)


def close(port: int) -> None:
    """Let only this machine reach a port, for a program that listens on all addresses whatever its options say."""
    reopen(port)
    for family in _families():
        run(family, "-w", "-I", "INPUT", *_others(port))


def reopen(port: int) -> None:
    """Take back what `close` has done, if it has."""
    for family in _families():
        _quietly(family, "-w", "-D", "INPUT", *_others(port))


def _families() -> list[str]:
    return ["iptables", *(["ip6tables"] if Path("/proc/net/if_inet6").exists() else [])]


def _others(port: int) -> list[str]:
    match = ["!", "-i", "lo", "-p", "tcp", "--dport", str(port)]
    return [*match, "-m", "comment", "--comment", _MARK, "-j", "DROP"]


def _ports() -> list[str]:
    if not exists():
        return []
    links = json.loads(run("ip", "-json", "link", "show", "master", BRIDGE) or "[]")
    return [link["ifname"] for link in links if link]


def _rule(table: str, chain: str, *rule: str) -> None:
    run("iptables", "-w", "-t", table, "-A", chain, "-m", "comment", "--comment", _MARK, *rule)


def _remove_rules(family: str) -> None:
    """Load the rules again without ours, as kubeadm's manual recommends for kube-proxy's."""
    try:
        rules = run(f"{family}-save")
    except (CommandFailed, OSError):
        return
    ours = re.compile(rf"KUBE-|--comment {_MARK}\b")
    kept = [line for line in rules.splitlines() if not ours.search(line)]
    if kept != rules.splitlines():
        run(f"{family}-restore", "-w", stdin="\n".join(kept) + "\n")


def _quietly(*argv: str) -> None:
    """Run what may find nothing to do."""
    try:
        run(*argv)
    except (CommandFailed, OSError):
        return
