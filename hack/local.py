"""Operator and gateway as local processes against the local cluster: `python -m hack.local start|stop|status`.

They outlive the program that starts them. Each has a pid file; a pid counts only together with its start time, so
that a number which belongs to somebody else by now is never signalled.
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from hack import paths
from hack.cluster import Cluster, describe
from hack.progress import say

NAMES: Final = ("operator", "gateway")
GATEWAY_PORT: Final = 4400
STOP_SECONDS: Final = 15.0
START_SECONDS: Final = 60.0


class NotStarted(RuntimeError):
    """A process ended, or was not ready in time."""


def start(cluster: Cluster, names: Sequence[str] = NAMES) -> None:
    """Start them, with the code as it is now: what runs already is stopped first."""
    stop(names)
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    if "gateway" in names and _port_taken():
        raise NotStarted(f"port {GATEWAY_PORT} is taken by another program; the gateway needs it")
    for name in names:
        _launch(name, cluster)
    for name in names:
        _wait(name, _READY[name])


def stop(names: Sequence[str] = NAMES) -> None:
    """Stop what runs."""
    for name in names:
        pid = running(name)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            _wait_for_end(name, pid)
        _pid_file(name).unlink(missing_ok=True)


def log_file(name: str) -> Path:
    """Return where a process writes."""
    return paths.LOCAL / f"{name}.log"


def _launch(name: str, cluster: Cluster) -> None:
    # The shell is the daemon's parent for a moment only and leaves it to init: it may outlive us.
    launch = '"$@" </dev/null >"$LOG" 2>&1 & echo $!'
    environment = {**os.environ, **cluster.environment(), "LOG": str(log_file(name))}
    launched = subprocess.run(
        ["/bin/sh", "-c", launch, "sh", sys.executable, "-m", f"mill_{name}"],
        env=environment,
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    pid = int(launched.stdout)
    _pid_file(name).write_text(f"{pid} {_started(pid)}\n")


def _wait(name: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
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


def _gateway_ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{GATEWAY_PORT}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _operator_ready() -> bool:
    return "ready: every watch is filled" in log_file("operator").read_text(errors="replace")


_READY: Final = {"gateway": _gateway_ready, "operator": _operator_ready}


def _port_taken() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", GATEWAY_PORT)) == 0


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
    parser = argparse.ArgumentParser(prog="python -m hack.local", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status"])
    command = parser.parse_args().command
    try:
        if command == "start":
            start(describe())
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


if __name__ == "__main__":
    sys.exit(main())
