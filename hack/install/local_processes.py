"""Operator and gateway as local processes against the local cluster.

`python -m hack.install.local_processes start|stop|status`.

Each has the rights of its account in the cluster, not the developer's.

They outlive the program that starts them. Each has a pid file; a pid counts only together with its start time, so
that a number which another process has by now is never signaled.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import Cluster, describe
from hack.install.crd import install_crd
from hack.install.rights import install_rights, kubeconfig_of
from hack.progress import say

NAMES: Final = ("operator", "gateway")
GATEWAY_PORT: Final = 4400
OPERATOR_PORT: Final = 4401
_PORTS: Final = {"operator": OPERATOR_PORT, "gateway": GATEWAY_PORT}
"""Where each answers whether it is ready."""
STOP_SECONDS: Final = 15.0
START_SECONDS: Final = 60.0
_OF_COMMAND_LINE: Final = frozenset({"MILL_NAMESPACE", "MILL_TOKEN", "MILL_TOKEN_FILE"})
"""Variables of `mill`. They are former names of settings of operator and gateway, with another meaning."""


class NotStarted(RuntimeError):
    """A process ended, or was not ready in time."""


def start(cluster: Cluster, *only: str) -> None:
    """Start both, or only one, with the code as it is now: what runs already is stopped first."""
    names = only or NAMES
    stop(*names)
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    for name in names:
        if _port_taken(_PORTS[name]):
            raise NotStarted(f"port {_PORTS[name]} is taken by another program; the {name} needs it")
    install_rights(cluster)
    for name in names:
        launch(name, cluster)
    for name in names:
        wait_until_ready(name)


def stop(*only: str) -> None:
    """Stop what runs of both, or of one."""
    for name in only or NAMES:
        pid = running(name)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)  # a paused one hears the other signal only then
            _wait_for_end(name, pid)
        _pid_file(name).unlink(missing_ok=True)


def send(name: str, number: signal.Signals) -> None:
    """Send a signal; return when the process has ended, if it is one that no process survives."""
    pid = running(name)
    if pid is None:
        raise NotStarted(f"the {name} does not run")
    os.kill(pid, number)
    if number is signal.SIGKILL:
        _wait_for_end(name, pid)


def log_file(name: str) -> Path:
    """Return where a process writes."""
    return paths.LOCAL / f"{name}.log"


def environment_of(name: str, cluster: Cluster) -> dict[str, str]:
    """Return the variables under which a process finds the cluster, with the rights that it should have."""
    return {"KUBECONFIG": str(kubeconfig_of(cluster, f"mill-{name}")), "MILL_CONTEXT": ""}


def launch(name: str, cluster: Cluster, environment: Mapping[str, str] | None = None) -> None:
    """Start one of them and do not wait until it is ready."""
    # The shell is the daemon's parent for a moment only and leaves it to init: it may outlive us.
    script = '"$@" </dev/null >"$LOG" 2>&1 & echo $!'
    launched = subprocess.run(
        ["/bin/sh", "-c", script, "sh", sys.executable, "-m", f"mill_{name}"],
        env={**_own_environment(), **environment_of(name, cluster), **(environment or {}), "LOG": str(log_file(name))},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    pid = int(launched.stdout)
    _pid_file(name).write_text(f"{pid} {_started(pid)}\n")


def wait_until_ready(name: str) -> None:
    """Wait until a process that was launched does its work."""
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(_PORTS[name]):
        if running(name) is None or time.monotonic() > deadline:
            tail = "\n".join(log_file(name).read_text(errors="replace").splitlines()[-8:])
            raise NotStarted(f"the {name} did not start; the end of {log_file(name)}:\n{tail}")
        time.sleep(0.05)


def _wait_for_end(name: str, pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while running(name) == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _port_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _pid_file(name: str) -> Path:
    return paths.LOCAL / f"{name}.pid"


def running(name: str) -> int | None:
    """Return the pid, if the very process that we started still runs."""
    try:
        pid, started = _pid_file(name).read_text().split(maxsplit=1)
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if _started(int(pid)) == started.strip() else None


def _started(pid: int) -> str:
    """Return when a process started; empty if it does not run. `ps` says it on Linux and on macOS."""
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    state, _, start_time = answer.partition(" ")
    return "" if state.startswith("Z") else start_time.strip()


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hack.install.local_processes", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status"])
    command = parser.parse_args().command
    try:
        if command == "start":
            cluster = describe()
            install_crd(cluster)
            start(cluster)
            say(f"operator and gateway run; the gateway is at http://127.0.0.1:{GATEWAY_PORT}")
        elif command == "stop":
            stop()
        else:
            for name in NAMES:
                say(f"{name:<10} {'running' if running(name) else 'not running'}")
    except NotStarted as error:
        say(f"error: {error}")
        return 1
    return 0


def _own_environment() -> dict[str, str]:
    """Return the environment of this process without the command line's variables that are former names of settings."""
    return {name: value for name, value in os.environ.items() if name not in _OF_COMMAND_LINE}


if __name__ == "__main__":
    sys.exit(main())
