"""Let one process at a time do a thing."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.progress import say


@contextmanager
def exclusive(lock: Path, activity: str) -> Iterator[None]:
    """Hold a lock file while the block runs; the kernel releases the lock of a process that was killed."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another {activity} to finish.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
