"""Build the image of both roles without Docker, from three layers that are kept: base, dependencies, application."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.commands import CommandFailed, run
from hack.exclusive import exclusive
from hack.images import oci
from hack.images.mill import application, base, dependencies, kept
from hack.images.mill.kept import Kept
from hack.images.mill.layout import ROOT, configuration
from hack.images.tars import Layer
from hack.progress import step
from hack.toolchain.go import ARCHITECTURE

NAMES: Final = ("base", "dependencies", "application")
_RECIPE: Final = ("hack/images/mill", "hack/images/tars.py")


@dataclass(frozen=True)
class Mill:
    """The image."""

    version: str
    base: Kept
    dependencies: Kept
    application: Kept

    @property
    def parts(self) -> dict[str, Kept]:
        """Return the layers, by name, from the lowest."""
        return dict(zip(NAMES, (self.base, self.dependencies, self.application), strict=True))

    @property
    def layers(self) -> list[Layer]:
        """Return the layers as they are pushed."""
        return [part.layer for part in self.parts.values()]


def build_mill(*, fresh: bool = False) -> Mill:
    """Make what has changed since the last time; with `fresh` also look for newer packages of Debian."""
    with exclusive(kept.FOLDER / ".lock", "build of the image"):
        recipe = kept.digest(ARCHITECTURE, kept.digest_of_files(ROOT, *_RECIPE))
        lowest = _kept("base", kept.digest(recipe, *base.PACKAGES), base.make, again=fresh)
        locked = dependencies.requirements()
        middle = _kept(
            "dependencies",
            kept.digest(recipe, locked),
            lambda tree: dependencies.make(tree, lowest.tree, locked),
        )
        sources = kept.digest_of_files(ROOT, *application.SOURCES, application.BUILD)
        highest = _kept(
            "application",
            kept.digest(recipe, sources, lowest.layer.diff_id, middle.layer.diff_id),
            lambda tree: application.make(tree, lowest.tree, middle.tree),
        )
        return Mill(application.version(), lowest, middle, highest)


def push_mill(registry: str, tag: str | None = None, *, fresh: bool = False) -> str:
    """Build and push the image under a tag (its version, unless given); return its name by digest."""
    mill = build_mill(fresh=fresh)
    reference = f"{registry}/mill:{tag or mill.version}"
    return oci.push(configuration(mill.version, revision()), mill.layers, reference)


def write_mill(folder: Path) -> None:
    """Write the content of each layer into a folder of its name, for `docker build`."""
    for name, part in build_mill().parts.items():
        shutil.copytree(part.tree, folder / name, symlinks=True)


def revision() -> str | None:
    """Return the commit, marked if there are changes; None where there is no repository."""
    try:
        return run("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*", cwd=ROOT).strip()
    except (CommandFailed, FileNotFoundError):
        return None


def _kept(name: str, key: str, make: Callable[[Path], None], *, again: bool = False) -> Kept:
    """Return a layer; tell who waits that it is being made."""

    def made(tree: Path) -> None:
        with step(f"building the image's layer {name}"):
            make(tree)

    return kept.keep(name, key, made, again=again)
