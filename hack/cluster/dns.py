"""CoreDNS, as a process of the machine on the bridge's address; the kubelet names it in every pod's resolv.conf."""

from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import network, processes, readiness
from hack.cluster.node import CLUSTER_DOMAIN
from hack.toolchain.build import COREDNS

NAME: Final = "coredns"
_READINESS: Final = "127.0.0.1:18181"
_HOST_RESOLVERS: Final = Path("/etc/resolv.conf")


def start() -> None:
    """Start CoreDNS; `answers` tells when it has seen the cluster's services."""
    corefile = paths.CLUSTER / "Corefile"
    corefile.write_text(_corefile())
    processes.start(processes.Daemon(NAME, (str(COREDNS.path), "-conf", str(corefile))))


def answers() -> bool:
    """Whether CoreDNS has synchronized with the API server and answers."""
    return readiness.answers(f"http://{_READINESS}/ready")


def _corefile() -> str:
    # Without a name server to forward to, CoreDNS would refuse to start.
    forward = f"forward . {_HOST_RESOLVERS}" if _has_resolver() else ""
    return f"""\
.:53 {{
    bind {network.GATEWAY}
    errors
    ready {_READINESS}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {paths.KUBECONFIG}
        ttl 5
    }}
    cache 5
    {forward}
}}
"""


def _has_resolver() -> bool:
    return _HOST_RESOLVERS.exists() and "nameserver" in _HOST_RESOLVERS.read_text()
