"""Find a Go that is new enough, or install one beside the built programs."""

import platform
import re
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Final

from hack import paths, versions
from hack.commands import CommandFailed, run
from hack.progress import step

ARCHITECTURE: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
    platform.machine(), platform.machine()
)
"""This machine's, in the words of Go and of image manifests; the local nodes have the same."""

_LOCKED: Final = Path(__file__).parents[1] / "locked" / "go.txt"


@cache
def go() -> Path:
    """Return a `go` of at least `versions.GO_MINIMUM`: the one on PATH, or the one from the Python package."""
    found = shutil.which("go")
    if found and _version(found) >= versions.GO_MINIMUM:
        return Path(found)
    return _from_python_package()


def _version(program: str) -> tuple[int, ...]:
    """Return (1, 26) for "go1.26.8", and () for what is not a working Go."""
    try:
        match = re.match(r"go(\d+)\.(\d+)", run(program, "env", "GOVERSION"))
    except (CommandFailed, OSError):
        return ()
    return (int(match[1]), int(match[2])) if match else ()


def _from_python_package() -> Path:
    """Install Go into a virtual environment of its own, which appears only once it is complete."""
    program = paths.GO / "bin" / "go"
    if not (program.exists() and _version(str(program))):
        with step(f"installing Go ({versions.GO_PACKAGE})"):
            shutil.rmtree(paths.GO, ignore_errors=True)
            run(sys.executable, "-m", "venv", paths.GO)
            locked = ("--require-hashes", "--requirement", _LOCKED)
            run(paths.GO / "bin" / "python", "-m", "pip", "install", "--quiet", *locked)
    return program
