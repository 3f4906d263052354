"""Versions of files that change while the process runs, as those of mounted Secrets do."""

from pathlib import Path


def version(file: Path) -> tuple[int, ...]:
    """Return a value that changes with the file, and when another file replaces it.

    It follows links, of which a mounted Secret consists. Raise OSError if the file does not exist.
    """
    status = file.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
