"""Start, watch and end daemons that outlive the program that starts them.

Each has a record (`processes/<name>.json`: what was run, its pid and when that pid started) and a log
(`logs/<name>.log`). A pid counts only together with its start time, so that a number which the kernel has given to
another process meanwhile is never signaled.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hack import paths
from hack.cluster import cgroups

# The shell joins the control group first, so that nothing the daemon starts can miss it; being the daemon's parent for
# a moment only, it leaves it to init, and the caller needs no wait() for it.
_LAUNCH = 'echo $$ > "$1" && shift && { exec "$@" </dev/null >>"$LOG" 2>&1 & echo $!; }'


class DaemonFailed(RuntimeError):
    """A daemon ended, or was not ready in time."""

    def __init__(self, name: str, problem: str) -> None:
        log = paths.LOGS / f"{name}.log"
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""
        super().__init__(f"{name} {problem}; the end of {log}:\n{tail}")


@dataclass(frozen=True)
class Daemon:
    """A program to run in the background under a name."""

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    guest: bool = False
    """Whether it only runs beside the cluster, which is whole without it."""


@dataclass(frozen=True)
class _Record:
    daemon: Daemon
    pid: int
    started: str

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started


def start(daemon: Daemon) -> None:
    """Start a daemon and write its record."""
    for directory in (paths.LOGS, paths.PROCESSES):
        directory.mkdir(parents=True, exist_ok=True)
    launched = subprocess.run(
        ["/bin/sh", "-c", _LAUNCH, "sh", str(cgroups.create()), *daemon.argv],
        env={**os.environ, **daemon.environment, "LOG": str(paths.LOGS / f"{daemon.name}.log")},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    pid = int(launched.stdout)
    document = {
        "pid": pid,
        "started": start_time(pid),
        "argv": daemon.argv,
        "environment": daemon.environment,
        "guest": daemon.guest,
    }
    _record_file(daemon.name).write_text(json.dumps(document, indent=2) + "\n")


def wait_until(name: str, ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until a daemon is ready; raise `DaemonFailed` with the end of its log if it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not is_alive(name):
            raise DaemonFailed(name, "ended")
        if time.monotonic() > deadline:
            raise DaemonFailed(name, f"was not ready within {seconds:.0f} s")
        time.sleep(0.05)


def names() -> list[str]:
    """Return the daemons that have a record, dead or alive."""
    return sorted(file.stem for file in paths.PROCESSES.glob("*.json"))


def missing() -> list[str]:
    """Return the daemons that were started and run no longer, without guests: the cluster is broken without these."""
    records = {name: _read(name) for name in names()}
    return [name for name, record in records.items() if not (record and (record.alive or record.daemon.guest))]


def is_alive(name: str) -> bool:
    """Whether the very process that was started under this name still runs."""
    record = _read(name)
    return record is not None and record.alive


def pid(name: str) -> int | None:
    """Return a daemon's process id, if it runs."""
    record = _read(name)
    return record.pid if record is not None and record.alive else None


def send(name: str, number: signal.Signals) -> None:
    """Send a signal, for instance SIGSTOP and SIGCONT to see how others take a silent neighbor."""
    record = _read(name)
    if record is None or not record.alive:
        raise DaemonFailed(name, "is not running")
    os.kill(record.pid, number)


def stop(name: str, grace: float = 10.0) -> None:
    """End a daemon: asked, then killed. Its record stays, so that `restart` knows what to run."""
    record = _read(name)
    if record is None or not record.alive:
        return
    _signal(record, signal.SIGTERM)
    _signal(record, signal.SIGCONT)
    deadline = time.monotonic() + grace
    while record.alive:
        if time.monotonic() > deadline:
            _signal(record, signal.SIGKILL)
        time.sleep(0.02)


def _signal(record: _Record, number: signal.Signals) -> None:
    """Send a signal, unless the process has ended since it was last looked at, be it by the signal before."""
    with suppress(ProcessLookupError):
        os.kill(record.pid, number)


def forget(name: str) -> None:
    """End a guest, and drop its record."""
    stop(name)
    _record_file(name).unlink(missing_ok=True)


def restart(name: str, grace: float = 10.0) -> None:
    """Stop a daemon if it runs, and run the same again."""
    record = _read(name)
    if record is None:
        raise DaemonFailed(name, "was never started")
    stop(name, grace)
    start(record.daemon)


def _record_file(name: str) -> Path:
    return paths.PROCESSES / f"{name}.json"


def _read(name: str) -> _Record | None:
    try:
        document = json.loads(_record_file(name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    daemon = Daemon(name, tuple(document["argv"]), document["environment"], document.get("guest", False))
    return _Record(daemon, document["pid"], document["started"])


def start_time(pid: int) -> str:
    """Return when a process started, in the kernel's ticks since boot; empty if it does not run (any more)."""
    try:
        # The second field, the name, may hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]
