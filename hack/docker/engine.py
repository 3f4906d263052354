"""Start and stop a Docker engine of our own, beside whatever else runs on this machine.

It lives in namespaces of its own for processes, mounts and, unless it builds, the network: they end with its first
process, so that `down` has no rule, bridge, mount or process to look for. What is left is a folder and a control group.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import cgroups, packages, processes
from hack.commands import CommandFailed, run
from hack.exclusive import exclusive
from hack.progress import step

CACHE: Final = paths.CACHE / "docker"
"""Images that are made here, and the state of the engine."""

STATE: Final = CACHE / "engine"
SOCKET: Final = STATE / "docker.sock"
_PROCESS: Final = STATE / "process.json"
_CGROUP: Final = "/mill-docker"
_BRIDGE: Final = "mill-docker0"
_BRIDGE_ADDRESS: Final = "10.234.0.1/24"
_SCRIPT: Final = Path(__file__).with_name("engine.sh")
_RUNTIME: Final = Path(__file__).with_name("runtime.py")
_MODULES: Final = Path("/lib/modules")
"""kind mounts it, and Docker makes it where there is none."""

_PACKAGES: Final = {
    "docker.io": "dockerd",
    "tini": "tini",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "iproute2": "ip",
}
_LAUNCH: Final = 'unshare "$@" </dev/null >"$STATE/engine.log" 2>&1 & echo $!'
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0


class EngineFailed(RuntimeError):
    """The engine did not start, or did not end."""


@dataclass(frozen=True)
class Engine:
    """An engine that runs."""

    pid: int
    """Of its first process, in its namespaces."""

    def environment(self) -> dict[str, str]:
        """Return the variables under which docker, and what uses it, find this engine and no settings of a person."""
        return {"DOCKER_HOST": f"unix://{SOCKET}", "DOCKER_CONFIG": str(STATE / "client"), "DOCKER_CONTEXT": ""}

    def docker(self, *arguments: str | Path, stdin: str | None = None, seconds: float = 120) -> str:
        """Run docker; return what it prints."""
        environment = {**os.environ, **self.environment()}
        return run(client(), *arguments, stdin=stdin, env=environment, timeout=seconds)

    def inside(self) -> list[str]:
        """Return the beginning of a command line that runs a program in the engine's network."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net"]


def client() -> str:
    """Return docker: the distribution's, whose client has BuildKit in it, or any."""
    return next(path for path in ("/usr/bin/docker", shutil.which("docker") or "docker") if shutil.which(path))


@contextmanager
def running(*, own_network: bool) -> Iterator[Engine]:
    """Have an engine while the block runs; one process at a time."""
    with exclusive(CACHE / "lock", "use of the Docker engine"):
        _clean()
        try:
            yield _start(own_network=own_network)
        finally:
            _clean()


def down() -> None:
    """Take away what an engine has left whose program was killed."""
    with exclusive(CACHE / "lock", "use of the Docker engine"):
        _clean()


def _start(*, own_network: bool) -> Engine:
    packages.install(_PACKAGES)
    (STATE / "client").mkdir(parents=True)
    with step("starting a Docker engine"):
        _configure()
        namespaces = (
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            *(("--net",) if own_network else ()),
        )
        settings = {
            "STATE": str(STATE),
            "SOCKET": str(SOCKET),
            "RUNTIME": str(STATE / "runtime"),
            "CGROUP": _CGROUP,
            "BRIDGE": _BRIDGE if own_network else "",
            "BRIDGE_ADDRESS": _BRIDGE_ADDRESS,
        }
        made_modules = not _MODULES.exists()
        # The shell is its parent for a moment only: it may outlive us, and then the next start ends it.
        launched = subprocess.run(
            ["sh", "-c", _LAUNCH, "sh", *namespaces, "tini", "--", "sh", str(_SCRIPT)],
            env={**os.environ, **settings},
            start_new_session=True,
            capture_output=True,
            text=True,
            check=True,
        )
        outer = int(launched.stdout)
        facts = {"pid": outer, "started": processes.start_time(outer), "made_modules": made_modules}
        _PROCESS.write_text(json.dumps(facts))
        return _wait_until_ready(outer)


def _configure() -> None:
    runtime = STATE / "runtime"
    runtime.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {_RUNTIME} "$@"\n')
    runtime.chmod(0o755)
    (STATE / "dockerd.json").write_text(json.dumps({"deprecated-key-path": str(STATE / "key.json")}))
    (STATE / "containerd.toml").write_text(
        f'version = 2\nroot = "{STATE}/containerd"\nstate = "{STATE}/containerd-run"\n'
        f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{STATE}/containerd.sock"\n'
    )


def _wait_until_ready(outer: int) -> Engine:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        ended = not processes.start_time(outer)
        first = _children(outer)
        if first:
            engine = Engine(first[0])
            try:
                engine.docker("version", seconds=10)
            except (CommandFailed, subprocess.TimeoutExpired):
                pass
            else:
                return engine
        if ended or time.monotonic() > deadline:
            raise EngineFailed(f"the Docker engine did not start; the end of its log:\n{_log()}")
        time.sleep(0.1)


def _log() -> str:
    files = [file for name in ("engine.log", "dockerd.log") if (file := STATE / name).exists()]
    return "\n".join(line for file in files for line in file.read_text(errors="replace").splitlines()[-10:])


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _clean() -> None:
    """End the engine with everything in its namespaces, and remove what it has written."""
    made_modules = False
    if _PROCESS.exists():
        facts = json.loads(_PROCESS.read_text())
        made_modules = facts["made_modules"]
        _end(facts["pid"], facts["started"])
    cgroups.remove(_CGROUP)
    if STATE.exists():
        shutil.rmtree(STATE)
    if made_modules and _MODULES.is_dir() and not any(_MODULES.iterdir()):
        _MODULES.rmdir()


def _end(pid: int, started: str) -> None:
    """Kill a process, if it is the one that was started then; all of its namespace goes with it."""
    if processes.start_time(pid) != started or not started:
        return
    first = [(child, processes.start_time(child)) for child in _children(pid)]
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _STOP_SECONDS
    while any(processes.start_time(each) == begun for each, begun in [(pid, started), *first] if begun):
        if time.monotonic() > deadline:
            raise EngineFailed(f"process {pid} does not end")
        time.sleep(0.05)
