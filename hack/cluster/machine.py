"""A machine for a second node: a network namespace with a cable to the bridge of the first node.

Programs that run within it have its addresses, its bridge for pods and its packet filter; files are those of this
machine. Unplugged, it goes on for itself, as a node does that its network has lost.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import network, processes
from hack.cluster.processes import Daemon
from hack.commands import run

_CABLE: Final = "mill-cable"
_DEVICE: Final = "eth0"
NAMESPACES: Final = Path("/run/netns")
"""Where `ip netns` keeps the names of network namespaces. A name outlives a mount namespace in which it was given."""


@dataclass(frozen=True)
class Machine:
    """A machine with one address in a network that it shares with the first node alone."""

    name: str
    address: str
    gateway: str
    """The first node's address in that network."""
    prefix: int
    pods: str

    @property
    def namespace(self) -> str:
        return f"mill-{self.name}{paths.SUFFIX}"

    def within(self, *argv: str) -> tuple[str, ...]:
        """Return a command that runs on the machine: in its network, and with all files of this one."""
        return ("nsenter", f"--net={NAMESPACES / self.namespace}", "--", *argv)

    def create(self) -> None:
        """Create the machine, plugged in. The bridge of the first node must be there."""
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", _CABLE, "type", "veth", "peer", "name", _DEVICE, "netns", self.namespace)
        run("ip", "link", "set", _CABLE, "master", network.BRIDGE)
        run("ip", "address", "add", f"{self.gateway}/{self.prefix}", "dev", network.BRIDGE)
        run("ip", "-n", self.namespace, "address", "add", f"{self.address}/{self.prefix}", "dev", _DEVICE)
        for device in ("lo", _DEVICE):
            run("ip", "-n", self.namespace, "link", "set", device, "up")
        self.plug_in()
        run("ip", "route", "add", self.pods, "via", self.address)
        run(*self.within("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))

    def plug_in(self) -> None:
        """Give the machine its network."""
        run("ip", "link", "set", _CABLE, "up")
        run("ip", "-n", self.namespace, "route", "replace", "default", "via", self.gateway)

    def unplug(self) -> None:
        """Take the machine's network away; what runs on it goes on."""
        run("ip", "link", "set", _CABLE, "down")

    def reach(self, address: str) -> None:
        """Let the machine reach a port of this one's loopback under the same name, such as `127.0.0.1:5050`."""
        host, _, port = address.rpartition(":")
        socket = paths.CLUSTER / f"{self.name}-{port}.sock"
        here = ("socat", f"UNIX-LISTEN:{socket},fork", f"TCP:{address}")
        there = ("socat", f"TCP-LISTEN:{port},bind={host},reuseaddr,fork", f"UNIX-CONNECT:{socket}")
        processes.start(Daemon(f"{self.name}-to-{port}", here))
        processes.wait_until(f"{self.name}-to-{port}", socket.exists)
        processes.start(Daemon(f"{self.name}-port-{port}", self.within(*there)))

    def exists(self) -> bool:
        """Whether the machine is there, or its name was left behind."""
        return (NAMESPACES / self.namespace).exists()

    def remove(self) -> None:
        """Remove the machine, if it is there; no process may be left on it."""
        if self.exists():
            run("ip", "netns", "delete", self.namespace)
