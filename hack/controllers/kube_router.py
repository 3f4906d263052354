"""A real kube-router, which enforces NetworkPolicies by rules of the packet filter.

The rules are those of a whole network, so it runs in a cluster apart only (`hack.cluster.apart`), whose network ends
with it.
"""

import os
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import Cluster, network
from hack.cluster.packages import NotSupported, install
from hack.cluster.processes import Daemon
from hack.controllers.beside import embedded
from hack.gitops import guests
from hack.progress import step
from hack.toolchain.build import KUBE_ROUTER, build

PACKAGES: Final = {"ipset": "ipset"}
_HEALTH: Final = 20244
_BRIDGED: Final = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
"""Whether the packet filter sees what passes between pods of one bridge."""


def is_apart() -> bool:
    """Whether this is the network of a cluster apart."""
    return bool(os.environ.get("MILL_CLUSTER"))


def up(cluster: Cluster) -> None:
    """Start it for the only node."""
    embedded(cluster, "kube-router")
    if not is_apart():
        raise NotSupported("kube-router changes the packet filter: run this in a cluster apart (`make test-policies`)")
    install(PACKAGES)
    build([KUBE_ROUTER])
    if not _BRIDGED.exists():
        raise NotSupported("the kernel has no br_netfilter, without which no policy can be enforced here")
    _BRIDGED.write_text("1")
    with step("starting kube-router"):
        guests.start_all([(_daemon(cluster), _HEALTH)])


def down(cluster: Cluster) -> None:
    """End it. Its rules end with the network."""
    guests.end_all([(_daemon(cluster), _HEALTH)])


def log() -> str:
    """Return what it has written."""
    return (paths.LOGS / "kube-router.log").read_text(errors="replace")


def _daemon(cluster: Cluster) -> Daemon:
    argv = (
        str(KUBE_ROUTER.path),
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        "--hostname-override=node-1",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--service-cluster-ip-range={network.SERVICES}",
        f"--health-port={_HEALTH}",
    )
    return Daemon("kube-router", argv, guest=True)
