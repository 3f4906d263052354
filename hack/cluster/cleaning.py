"""Take everything away that a cluster has put on this machine, whether it runs, is half dead or long gone."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import cgroups, network, nodes, storage
from hack.commands import run

# Places outside our own folder that CNI, containerd's shims and the kubelet have built in.
_CNI_CACHE: Final = Path("/var/lib/cni/results")
_SHIM_SOCKETS: Final = Path("/run/containerd/s")
_CONTAINER_LOGS: Final = Path("/var/log/containers")
_DEVICE_PLUGINS: Final = Path("/var/lib/kubelet/device-plugins")


def is_clean() -> bool:
    """Whether no trace of a cluster is left."""
    machines = any(machine.exists() for machine in nodes.machines())
    return not (paths.CLUSTER.exists() or machines or network.exists() or cgroups.exists())


def clean() -> None:
    """End all processes of the cluster and remove its mounts, devices, rules, control groups and files."""
    cgroups.end_all()
    for file in _files_elsewhere():
        file.unlink(missing_ok=True)
    for mount_point in _mount_points():
        run("umount", "--lazy", mount_point)
    for machine in nodes.machines():
        machine.remove()
    network.remove()
    cgroups.remove()
    storage.release()
    shutil.rmtree(paths.CLUSTER, ignore_errors=True)
    for directory in (_CNI_CACHE, _SHIM_SOCKETS, _CONTAINER_LOGS, _DEVICE_PLUGINS):
        _remove_if_empty(directory)


def _mount_points() -> Iterator[str]:
    """Yield what is mounted below the cluster's folder, the innermost first."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount_point in reversed(mounted):
        # The kernel writes a space as \\040.
        plain = re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), mount_point)
        if Path(plain).is_relative_to(paths.CLUSTER):
            yield plain


def _files_elsewhere() -> Iterator[Path]:
    """Yield our files in the places that programs have built in."""
    # Each container's folder names the socket of its shim.
    for file in paths.NODES.glob("*/run/io.containerd.runtime.v2.task/*/*/address"):
        yield Path(file.read_text().strip().removeprefix("unix://"))
    # A cached result names the network namespace, which lies below our folder.
    for result in _CNI_CACHE.glob("*"):
        if f"{paths.CLUSTER}/" in result.read_text():
            yield result
    for link in _CONTAINER_LOGS.glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(paths.CLUSTER):
            yield link
    if paths.NODES.exists():
        yield _DEVICE_PLUGINS / "kubelet.sock"


def _remove_if_empty(directory: Path) -> None:
    """Remove a folder and the one around it (such as /var/lib/cni), unless they are in use."""
    for folder in (directory, directory.parent):
        if folder != _CONTAINER_LOGS.parent and folder.is_dir() and not any(folder.iterdir()):
            with contextlib.suppress(OSError):  # something is mounted there
                folder.rmdir()
