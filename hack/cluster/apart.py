"""Run a command where a second cluster fits beside the usual one: `python -m hack.cluster.apart NAME COMMAND…`.

The command has a network of its own, so that the same ports, addresses and firewall rules are free, and folders of its
own in the two places that programs of Kubernetes have built in. It has no way to the outside: what has to be downloaded
must be there before. Whatever it starts ends with it. `MILL_CLUSTER` tells everything in `hack` to keep the state of
that cluster apart.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import network, packages
from hack.cluster.packages import NotSupported
from hack.progress import say

_FOLDER: Final = paths.CACHE / "apart"
_OWN: Final = {"tmp": Path("/tmp"), "kubelet": Path("/var/lib/kubelet")}  # noqa: S108
"""Folders that would be shared: host-path volumes are made below the first, and the second has the kubelet's socket."""

_OUTSIDE: Final = "192.0.2.1"
_OUTSIDE_6: Final = "2001:db8::1"
"""Addresses of the ranges for documentation, which no machine has."""

# /sys is that of the network which mounted it; without another one the bridge of the usual cluster would be seen there.
# Service addresses have a route, as on every machine with a default route: without one, a connection is refused before
# kube-proxy's rules change where it goes.
_SCRIPT: Final = f"""\
set -e
for each in tmp kubelet control-groups; do mkdir -p "$FOLDER/$each"; done
ip link set lo up
ip address add {_OUTSIDE}/32 dev lo
ip route add {network.SERVICES} dev lo src {_OUTSIDE}
if [ -e /proc/net/if_inet6 ]; then
  ip -6 address add {_OUTSIDE_6}/128 dev lo nodad
  ip -6 route add {network.SERVICES_6} dev lo src {_OUTSIDE_6}
fi
mount --rbind /sys/fs/cgroup "$FOLDER/control-groups"
mount -t sysfs sysfs /sys
mount --rbind "$FOLDER/control-groups" /sys/fs/cgroup
umount --lazy "$FOLDER/control-groups"
mkdir -p /var/lib/kubelet
mount --bind "$FOLDER/kubelet" /var/lib/kubelet
chmod 1777 "$FOLDER/tmp"
mount --bind "$FOLDER/tmp" /tmp
unset FOLDER
exec catatonit -- "$@"
"""
_NAMES_A_CLUSTER: Final = ("KUBECONFIG", "MILL_CONTEXT", "MILL_REGISTRY", "MILL_ADDRESS", "MILL_E2E_REUSE")
_WITHOUT_NETWORK: Final = {"UV_OFFLINE": "1"}
"""Lets uv build images with what it has downloaded before, instead of asking for newer versions in vain."""


def run_apart(name: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command to its end, with more variables than ours; return its exit code."""
    packages.install()
    hidden = [each for each in (Path.cwd(), paths.CACHE, Path(sys.prefix)) if each.is_relative_to(_OWN["tmp"])]
    if hidden:
        raise NotSupported(f"{hidden[0]} would be hidden, as {_OWN['tmp']} is another folder there")
    inherited = {key: value for key, value in os.environ.items() if key not in _NAMES_A_CLUSTER}
    own = {"MILL_CLUSTER": name, "FOLDER": str(_FOLDER / name), **_WITHOUT_NETWORK}
    variables = {**inherited, **(environment or {}), **own}
    namespaces = ("--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")
    words = ("unshare", *namespaces, "sh", "-c", _SCRIPT, "sh", *argv)
    return subprocess.run(words, env=variables, check=False).returncode


def forget(name: str) -> None:
    """Remove the folders that a command had for itself, with the images that it pushed. Its cluster must be down."""
    for folder in (_FOLDER / name, paths.CACHE / f"local-{name}", paths.CACHE / f"registry-{name}"):
        shutil.rmtree(folder, ignore_errors=True)
    (paths.CACHE / f"lock-{name}").unlink(missing_ok=True)


def main() -> int:
    """Run one command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m hack.cluster.apart", description=__doc__)
    parser.add_argument("name", help="of the cluster: its state is in cluster-NAME")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run, such as: make cluster-up")
    arguments = parser.parse_args()
    try:
        return run_apart(arguments.name, arguments.command)
    except NotSupported as error:
        say(f"error: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
