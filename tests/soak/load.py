"""A client that sends requests at a steady rate, each over a connection of its own."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

REQUEST_SECONDS = 5.0


@dataclass
class Load:
    """The requests so far."""

    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Number of failed requests by their cause."""

    def add(self, other: "Load") -> None:
        """Add the requests of another client."""
        self.requests += other.requests
        self.failures.update(other.failures)


@contextmanager
def load(host: str, port: int, rate: int) -> Iterator[Load]:
    """Send so many requests per second while the block runs. A machine that is too slow sends fewer."""
    found, stop = Load(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_send_all(found, host, port, rate, stop)), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


async def _send_all(found: Load, host: str, port: int, rate: int, stop: threading.Event) -> None:
    async with asyncio.TaskGroup() as group:
        due = time.monotonic()
        while not stop.is_set():
            group.create_task(_send(found, host, port))
            due = max(due + 1 / rate, time.monotonic() - 1 / rate)
            await asyncio.sleep(due - time.monotonic())


async def _send(found: Load, host: str, port: int) -> None:
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            failure = await _failure(host, port)
    except (OSError, EOFError) as error:  # TimeoutError is an OSError
        failure = type(error).__name__
    found.requests += 1
    if failure:
        found.failures[failure] += 1


async def _failure(host: str, port: int) -> str:
    """Send a request; return what is wrong with the answer, or nothing."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status, _, _ = (await reader.readuntil(b"\r\n")).partition(b"\r\n")
        await reader.read()
    finally:
        writer.close()
    return "" if status.split()[1:2] == [b"200"] else status.decode(errors="replace")[:40]
