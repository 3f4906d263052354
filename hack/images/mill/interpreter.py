"""The image's own Python, run on this machine by the image's own loader: neither root nor a container is needed."""

from pathlib import Path

from hack.commands import run
from hack.images.mill import elf
from hack.images.mill.layout import PROGRAM


class LibraryMissing(RuntimeError):
    """A program or an extension module needs a library that the image has not."""


def compile_all(base: Path, tree: Path, folder: str) -> None:
    """Compile a folder in a tree by the Python of a base of this machine's architecture: the result fits all of them.

    The result depends on the sources alone: they are named as in the image, distinguished by their content rather than
    their time, and compiled one by one, because two processes share their work differently each time.
    """
    python = (*loader(base), base / PROGRAM, "-P", "-S", "-s")
    options = ("-q", "-f", "-j", "1", "--invalidation-mode", "unchecked-hash", "-s", tree, "-p", "/")
    run(*python, "-m", "compileall", *options, tree / folder, cwd=base, env={"PYTHONHASHSEED": "0"})


def check_libraries(base: Path, tree: Path) -> None:
    """Raise `LibraryMissing` unless every library that is needed in a tree is found there or in the base."""
    files = sorted([*tree.rglob("*.so*"), *tree.glob(PROGRAM)])
    absent = [f"{file.relative_to(tree)} needs {name}" for file in files for name in elf.missing(file, base, tree)]
    if absent:
        raise LibraryMissing("\n".join(absent))


def loader(base: Path) -> tuple[str | Path, ...]:
    """Return the beginning of a command line that runs a program with the libraries of the image."""
    folders = [*base.glob("lib/*-linux-gnu"), *base.glob("usr/lib/*-linux-gnu")]
    (loader,) = base.glob("lib/*-linux-gnu/ld-linux*.so.*")
    return (loader, "--library-path", ":".join(str(folder) for folder in folders))
