"""Files that change while the process runs, as mounted Secrets do."""

from pathlib import Path


def version(file: Path) -> tuple[int, ...]:
    """Return what differs when a file has changed, also by another one that takes its name.

    Links are followed: a mounted Secret consists of them. Raise OSError if there is no file.
    """
    seen = file.stat()
    return seen.st_ino, seen.st_mtime_ns, seen.st_size
