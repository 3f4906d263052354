"""Build the image of both roles without Docker, from three layers that are kept: base, dependencies, application."""

import os
import shutil
from collections.abc import Callable, Sequence
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
    """The image for one architecture."""

    architecture: str
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


def build_mill(architecture: str = ARCHITECTURE, *, fresh: bool = False) -> Mill:
    """Make what has changed since the last time; with `fresh` also look for newer packages of Debian.

    What is compiled for another architecture is compiled by this one's Python, of the same packages.
    """
    with exclusive(kept.FOLDER / ".lock", "build of the image"):
        native = _base(ARCHITECTURE, None, fresh=fresh and architecture == ARCHITECTURE)
        lowest = native if architecture == ARCHITECTURE else _base(architecture, native, fresh=fresh)
        locked = dependencies.requirements()
        middle = _kept(
            "dependencies",
            architecture,
            kept.digest(_recipe(architecture), native.layer.diff_id, locked),
            lambda tree: dependencies.make(tree, architecture, lowest.tree, native.tree, locked),
        )
        sources = kept.digest_of_files(ROOT, *application.SOURCES, application.BUILD)
        highest = _kept(
            "application",
            architecture,
            kept.digest(_recipe(architecture), sources, *(each.layer.diff_id for each in (native, lowest, middle))),
            lambda tree: application.make(tree, lowest.tree, native.tree, middle.tree),
        )
        return Mill(architecture, application.version(), lowest, middle, highest)


def push_mill(
    registry: str, tag: str | None = None, *, architectures: Sequence[str] = (ARCHITECTURE,), fresh: bool = False
) -> str:
    """Build and push the image under a tag (its version, unless given); return its name by digest.

    It is for this machine's architecture, or for several.
    """
    made = [build_mill(each, fresh=fresh) for each in architectures]
    version = application.version()
    settings, reference = configuration(version, revision()), f"{registry}/mill:{tag or version}"
    if [each.architecture for each in made] == [ARCHITECTURE]:
        return oci.push(settings, made[0].layers, reference)
    return oci.push_index([oci.Variant(each.architecture, settings, each.layers) for each in made], reference)


def write_mill(folder: Path) -> None:
    """Write the content of each layer into a folder of its name, for `docker build`: without times, as layers are."""
    for name, part in build_mill().parts.items():
        shutil.copytree(part.tree, folder / name, symlinks=True)
        for path in [*(folder / name).rglob("*"), folder / name]:
            os.utime(path, (0, 0), follow_symlinks=False)


def revision() -> str | None:
    """Return the commit, marked if there are changes; None where there is no repository."""
    try:
        return run("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*", cwd=ROOT).strip()
    except (CommandFailed, FileNotFoundError):
        return None


def _recipe(architecture: str) -> str:
    return kept.digest(architecture, kept.digest_of_files(ROOT, *_RECIPE))


def _base(architecture: str, native: Kept | None, *, fresh: bool) -> Kept:
    """Return the lowest layer; `native` is that of this machine's architecture, where it is another one."""
    key = kept.digest(_recipe(architecture), *base.PACKAGES, *((native.layer.diff_id,) if native else ()))
    runs = native.tree if native else None
    return _kept("base", architecture, key, lambda tree: base.make(tree, architecture, runs), again=fresh)


def _kept(name: str, architecture: str, key: str, make: Callable[[Path], None], *, again: bool = False) -> Kept:
    """Return a layer; tell who waits that it is being made."""

    def made(tree: Path) -> None:
        with step(f"building the image's layer {name} for {architecture}"):
            make(tree)

    return kept.keep(name, key, made, again=again)
