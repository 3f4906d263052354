"""What runs beside the cluster, and what it has made in it."""

import json
import socket
from collections.abc import Iterable, Sequence
from typing import Any

from hack.cluster import Cluster, network
from hack.cluster.processes import Daemon, forget, start, wait_until
from hack.commands import CommandFailed, run

Manifest = dict[str, Any]


Daemons = Sequence[tuple[Daemon, int]]
"""Each with the port that it listens on when it is ready."""


def start_all(daemons: Daemons) -> None:
    """Start one after the other, each when the one before it listens on its port."""
    for daemon, port in daemons:
        start(daemon)
        wait_until(daemon.name, lambda port=port: _listens(port))  # type: ignore[misc]


def end_all(daemons: Daemons) -> None:
    """End them, the last that was started first."""
    for daemon, _ in reversed(daemons):
        forget(daemon.name)


def apply(cluster: Cluster, objects: list[Manifest]) -> None:
    """Apply objects."""
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    run(*cluster.kubectl_command("apply", "-f", "-"), stdin=json.dumps(listed))


def release(cluster: Cluster, namespace: str, kinds: Sequence[str]) -> None:
    """Let objects go without a controller that looks after what they have made."""
    ours = ("--namespace", namespace)
    for kind in kinds:
        try:
            names = run(*cluster.kubectl_command("get", kind, *ours, "-o", "name")).split()
        except CommandFailed:
            continue  # there is no such kind
        for name in names:
            patch = ("--type=merge", "-p", '{"metadata":{"finalizers":null}}')
            run(*cluster.kubectl_command("patch", name, *ours, *patch))


def remove(cluster: Cluster, things: Iterable[str]) -> None:
    """Remove things (`crd/x`), and wait for the end of each, though not for ever."""
    for thing in things:
        try:
            run(*cluster.kubectl_command("delete", thing, "--ignore-not-found", "--timeout=60s"))
        except CommandFailed:
            run(*cluster.kubectl_command("delete", thing, "--ignore-not-found", "--wait=false"))


def _listens(port: int) -> bool:
    """Whether a program listens on this machine, on loopback or on the pods' bridge."""
    return any(_reached(address, port) for address in ("127.0.0.1", network.GATEWAY))


def _reached(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
