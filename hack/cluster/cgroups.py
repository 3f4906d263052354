"""One control group that holds every process of the cluster: the daemons, the containers and their shims.

It is how `down` finds them all, also those whose parent was killed and whose pid was not recorded. The kubelet puts
its pods below the same group (`cgroupRoot`).
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hack import paths

ROOT: Final = f"/mill-dev{paths.SUFFIX}"
_DAEMONS: Final = "daemons"
"""Processes live in a leaf: cgroup v2 refuses processes in a group whose children have controllers."""


def create() -> Path:
    """Create the group in every hierarchy; return the file that takes the pids of daemons."""
    create_group(ROOT)
    daemons = _anchor() / _DAEMONS
    daemons.mkdir(exist_ok=True)
    return daemons / "cgroup.procs"


def create_group(name: str) -> None:
    """Create a group in every hierarchy, such as that of a node's pods; the one around it must be there."""
    for hierarchy in _hierarchies():
        group = hierarchy / name.lstrip("/")
        _pass_on_controllers(group.parent)
        group.mkdir(exist_ok=True)
        _pass_on_controllers(group)


def end_all(grace: float = 1.0) -> None:
    """End every process in the group: first asked, then killed until none is left."""
    _signal_all(signal.SIGTERM)
    # A stopped process gets the signal only when it goes on.
    _signal_all(signal.SIGCONT)
    deadline = time.monotonic() + grace
    while _pids():
        if time.monotonic() > deadline:
            _signal_all(signal.SIGKILL)
        time.sleep(0.02)


def remove(root: str = ROOT) -> None:
    """Remove a group, with those below it, from every hierarchy; no process may be left in it."""
    for hierarchy in _hierarchies():
        for directory, _, _ in os.walk(hierarchy / root.lstrip("/"), topdown=False):
            _remove_empty(Path(directory))


def exists() -> bool:
    """Whether the group is there: a cluster runs, or one was left behind."""
    return any((hierarchy / ROOT.lstrip("/")).exists() for hierarchy in _hierarchies())


def _hierarchies() -> Iterator[Path]:
    """Yield where control groups are mounted: once for cgroup v2, once per controller for v1."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount_point, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            yield Path(mount_point)


def _anchor() -> Path:
    """The hierarchy in which processes are looked for: every container is in it."""
    v1_pids = Path("/sys/fs/cgroup/pids")
    return (v1_pids if v1_pids.is_dir() else Path("/sys/fs/cgroup")) / ROOT.lstrip("/")


def _pass_on_controllers(group: Path) -> None:
    """Let children of a v2 group use its controllers, which the kubelet insists on; v1 has no such thing."""
    available = group / "cgroup.controllers"
    if available.exists():
        wanted = " ".join(f"+{controller}" for controller in available.read_text().split())
        (group / "cgroup.subtree_control").write_text(wanted)


def _remove_empty(group: Path, patience: float = 5.0) -> None:
    """Remove a group; the kernel calls it busy for a moment after its last process has ended."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _pids() -> list[int]:
    pids: list[int] = []
    for directory, _, _ in os.walk(_anchor()):
        try:
            pids += [int(pid) for pid in (Path(directory) / "cgroup.procs").read_text().split()]
        except FileNotFoundError:
            continue
    # Zombies stay listed in v1 until their parent has waited for them, and nothing ends them.
    return [pid for pid in pids if _is_running(pid)]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _signal_all(number: signal.Signals) -> None:
    for pid in _pids():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
