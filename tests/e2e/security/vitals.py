"""How a process is while somebody attacks it: its probe asked as Kubernetes asks it, and its memory."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

PROBE_SECONDS = 5.0
"""The probes' time-out in the chart."""
EVERY_SECONDS = 0.25


@dataclass
class Vitals:
    """What was seen so far."""

    slowest: float = 0.0
    answers: int = 0
    failures: list[str] = field(default_factory=list)


@contextlib.contextmanager
def probed(url: str, headers: dict[str, str] | None = None) -> Iterator[Vitals]:
    """Ask an address over new connections until the block ends. An answer that takes too long is a failure."""
    seen, stop = Vitals(), threading.Event()

    def ask() -> None:
        while True:
            started = time.monotonic()
            try:
                answer = httpx.get(url, headers=headers, timeout=PROBE_SECONDS)
                if answer.status_code != 200:
                    seen.failures.append(f"{answer.status_code} {answer.text[:200]}")
            except httpx.HTTPError as error:
                seen.failures.append(repr(error))
            seen.answers += 1
            seen.slowest = max(seen.slowest, time.monotonic() - started)
            if stop.wait(EVERY_SECONDS):
                return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(timeout=2 * PROBE_SECONDS)
        print(f"{url}: {seen.answers} answers, the slowest took {seen.slowest:.2f} s")


def assert_well(seen: Vitals) -> None:
    """Hold that it was asked, and answered each time within the probe's time."""
    assert seen.answers > 0
    assert seen.failures == []


def resident(pid: int) -> int:
    """Return a process' resident memory, in bytes."""
    return _memory(pid, "VmRSS")


def peak(pid: int) -> int:
    """Return the most that it ever was, in bytes."""
    return _memory(pid, "VmHWM")


def _memory(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (each for each in lines if each.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def until(seconds: float, act: Callable[[], object], every: float = 0.2) -> int:
    """Do something over and over for a while; return how often."""
    ends, count = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        act()
        count += 1
        time.sleep(every)
    return count
