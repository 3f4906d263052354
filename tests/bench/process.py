"""What a running process has cost so far, from the outside and by the nanosecond. Linux only."""

import os
import re
import time
from pathlib import Path

from hack.cluster import processes
from hack.install import local_processes as local


def cpu_seconds(pid: int) -> float:
    """Return the processor time of all threads; the kernel's id of another process' clock is made of its pid."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_mib(pid: int) -> float:
    """Return the resident memory."""
    return _status_kib(pid, "VmRSS") / 1024


def peak_mib(pid: int) -> float:
    """Return the most that the resident memory ever was."""
    return _status_kib(pid, "VmHWM") / 1024


def age(pid: int) -> float:
    """Return for how many seconds a process has been there."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def everybody() -> dict[str, int]:
    """Return the pids of all that takes part: this bench, operator and gateway if they run, and the cluster."""
    known = {"this bench": os.getpid()} | {name: local.running(name) for name in local.NAMES}
    known |= {name: processes.pid(name) for name in processes.names()}
    return {name: pid for name, pid in known.items() if pid is not None}


def _status_kib(pid: int, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
