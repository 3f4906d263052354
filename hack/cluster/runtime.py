"""The node's container runtime: containerd of the distribution, or one that was built here."""

import os
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import components
from hack.cluster.processes import Daemon
from hack.images import pause

_LOOPBACK: Final = "127.0.0.1"
_PLUGINS_OF_CNI: Final = "/usr/lib/cni"


def daemon(name: str, configuration: Path) -> Daemon:
    """Return containerd as a daemon."""
    directory = components.running().runtime_directory
    if directory is None:
        return Daemon(name, ("containerd", "--config", str(configuration)))
    # It looks for its shim on the PATH.
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    return Daemon(name, (str(directory / "containerd"), "--config", str(configuration)), {"PATH": path})


def client() -> str:
    """Return the `ctr` that belongs to the containerd of the running cluster."""
    directory = components.running().runtime_directory
    return "ctr" if directory is None else str(directory / "ctr")


def sockets() -> list[Path]:
    """Return where the containerd of each node answers."""
    return sorted(paths.NODES.glob("*/containerd.sock"))


def configuration(version: str, directory: Path) -> str:
    """Return containerd's configuration, in the form that this version has."""
    common = f"""\
root = "{directory / "containerd"}"
state = "{directory / "run"}"

[grpc]
  address = "{directory / "containerd.sock"}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{directory / "containerd" / "opt"}"

[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "{_LOOPBACK}"
"""
    if version.startswith("1."):
        return f"version = 2\n{common}{_before_2(directory)}"
    return f"version = 3\n{common}{_since_2(directory)}"


def _before_2(directory: Path) -> str:
    return f"""\
  sandbox_image = "{pause.REFERENCE}"
{_SETTINGS}

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{_PLUGINS_OF_CNI}"
  conf_dir = "{directory / "cni"}"
{_runc("io.containerd.grpc.v1.cri", directory)}"""


def _since_2(directory: Path) -> str:
    return f"""\

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{pause.REFERENCE}"

[plugins."io.containerd.cri.v1.runtime"]
{_SETTINGS}

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["{_PLUGINS_OF_CNI}"]
  conf_dir = "{directory / "cni"}"

# Its socket is one for the whole machine.
[plugins."io.containerd.nri.v1.nri"]
  disable = true
{_runc("io.containerd.cri.v1.runtime", directory)}"""


_SETTINGS: Final = """\
  # Without it every pod dies where the machine does not let us lower a score: "can't get final child's PID from pipe".
  restrict_oom_score_adj = true
  # Below our own folder, where they are found again after a crash.
  netns_mounts_under_state_dir = true"""


def _runc(plugin: str, directory: Path) -> str:
    return f"""
[plugins."{plugin}".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."{plugin}".containerd.runtimes.runc.options]
  Root = "{directory / "runc"}"
"""
