"""Which nodes the embedded cluster has: one, or with `MILL_NODE_COUNT=2` two, of which the second can be lost."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from hack.cluster import network, variants
from hack.cluster.machine import Machine
from hack.cluster.node import Node
from hack.cluster.packages import NotSupported

VARIABLE: Final = "MILL_NODE_COUNT"

FIRST: Final = Node("node-1", network.GATEWAY, network.NODE_PODS, bridge_address=network.GATEWAY)

_MACHINE: Final = Machine("node-2", "10.244.192.2", gateway="10.244.192.1", prefix=24, pods="10.244.64.0/18")
SECOND: Final = Node(_MACHINE.name, _MACHINE.address, _MACHINE.pods, bridge_address="10.244.64.1", machine=_MACHINE)
_ALL: Final = (FIRST, SECOND)

# Seconds instead of minutes, after which a node counts as lost and its pods are replaced.
_LOST_SOON: Final[Mapping[str, Mapping[str, object]]] = {
    "kube-apiserver": {"default-not-ready-toleration-seconds": 20, "default-unreachable-toleration-seconds": 20},
    "kube-controller-manager": {"node-monitor-grace-period": "16s"},
}


def wanted() -> tuple[Node, ...]:
    """Return the nodes to start a cluster with: as many as the environment says, or else as many as there are."""
    number = os.environ.get(VARIABLE) or str(len(running()) or 1)
    if number not in ("1", "2"):
        raise NotSupported(f"{VARIABLE}={number}: the embedded cluster has 1 node or 2")
    if number == "2" and variants.wanted() == variants.DUAL_STACK:
        raise NotSupported(f"{variants.VARIABLE}={variants.DUAL_STACK}: such a cluster has 1 node")
    return _ALL[: int(number)]


def running() -> tuple[Node, ...]:
    """Return the nodes of the cluster that there is."""
    return tuple(node for node in _ALL if node.directory.exists())


def options(chosen: Sequence[Node]) -> Mapping[str, Mapping[str, object]]:
    """Return the options that a control plane of these nodes has, by component: see `control_plane.Overrides`."""
    return _LOST_SOON if any(node.machine is not None for node in chosen) else {}


def machines() -> tuple[Machine, ...]:
    """Return the machines that nodes have for themselves."""
    return tuple(node.machine for node in _ALL if node.machine is not None)
