"""A clock that a test sets: libfaketime, loaded before a process, shows it another wall time. Not another monotonic."""

from pathlib import Path

import pytest

_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class Clock:
    """The wall clock of one process."""

    def __init__(self, folder: Path) -> None:
        library = next(Path("/").glob(_LIBRARIES.lstrip("/")), None)
        if library is None:
            pytest.skip("needs libfaketime (Debian's package faketime)")
        self._file = folder / "clock"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        """What gives a process this clock."""

    def set(self, ahead: float) -> None:
        """Let the clock be ahead of the true time by so many seconds from now on; negative: behind it."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(f"{ahead:+.0f}\n")
        unfinished.rename(self._file)  # never seen half written
