"""The image's own Python, run on this machine by the image's own loader: neither root nor a container is needed."""

import re
import subprocess
from pathlib import Path
from typing import Final

from hack.commands import run
from hack.images.mill.layout import PROGRAM

_RESOLVED: Final = re.compile(r"^\s*(\S+) => (?:not found|(\S+))", re.MULTILINE)


class LibraryMissing(RuntimeError):
    """A program or an extension module needs a library that the image has not."""


def compile_all(base: Path, tree: Path, folder: str) -> None:
    """Compile a folder in a tree.

    The result depends on the sources alone: they are named as in the image, distinguished by their content rather than
    their time, and compiled one by one, because two processes share their work differently each time.
    """
    python = (*loader(base), base / PROGRAM, "-P", "-S", "-s")
    options = ("-q", "-f", "-j", "1", "--invalidation-mode", "unchecked-hash", "-s", tree, "-p", "/")
    run(*python, "-m", "compileall", *options, tree / folder, cwd=base, env={"PYTHONHASHSEED": "0"})


def check_libraries(base: Path, tree: Path) -> None:
    """Raise `LibraryMissing` unless every library that is needed in a tree is found there or in the base."""
    missing = []
    for file in sorted([*tree.rglob("*.so*"), *tree.glob(PROGRAM)]):
        # The answer of a file that needs nothing, or is none that can be loaded, is an error without such lines.
        listed = subprocess.run([*loader(base), "--list", file], capture_output=True, text=True, check=False)
        for name, found in missing_in(listed.stdout, base, tree):
            missing.append(f"{file.relative_to(tree)} needs {name}" + (f", found as {found} only" if found else ""))
    if missing:
        raise LibraryMissing("\n".join(missing))


def missing_in(listing: str, *trees: Path) -> list[tuple[str, str]]:
    """Return which libraries a loader's listing has found elsewhere, and where; or nowhere."""
    return [
        (name, found)
        for name, found in _RESOLVED.findall(listing)
        if not any(Path(found).is_relative_to(tree) for tree in trees)
    ]


def loader(base: Path) -> tuple[str | Path, ...]:
    """Return the beginning of a command line that runs a program with the libraries of the image."""
    folders = [*base.glob("lib/*-linux-gnu"), *base.glob("usr/lib/*-linux-gnu")]
    (loader,) = base.glob("lib/*-linux-gnu/ld-linux*.so.*")
    return (loader, "--library-path", ":".join(str(folder) for folder in folders))
