"""The releases before this one, by version and commit, so that tests can install them and upgrade from them.

Tags do not travel with every clone, commits do. A release is checked out into the cache and builds its own image.
"""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from hack import paths
from hack.commands import CommandFailed, run
from hack.exclusive import exclusive
from hack.progress import step

_REPOSITORY: Final = Path(__file__).parents[2]
_FOLDER: Final = paths.CACHE / "releases"
_PACKAGES: Final = ("crds", "libs", "operator", "gateway", "cli")


class ReleaseMissing(RuntimeError):
    """The commit of a release is not in this clone."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release."""

    version: str
    commit: str

    @property
    def folder(self) -> Path:
        """Where its sources are once they are checked out."""
        return _FOLDER / f"{self.version}-{self.commit[:12]}"

    @property
    def chart(self) -> Path:
        """Its chart."""
        return self.folder / "charts" / "mill"


RELEASES: Final = (Release("0.1.0", "0c64d1888e3406502b8d15d6a219884404d2d02c"),)
"""The oldest first."""
PREVIOUS: Final = RELEASES[-1]
"""The one that people upgrade from, and that this version can be rolled back to."""
GOLDEN: Final = Path("tests/unit/mill_operator/golden")
"""What a release renders, for each kind of service."""


def with_the_same_templates() -> Release:
    """Return the oldest commit that renders what this one does, by the golden files: a release, as far as pods know."""
    commit = run("git", "log", "-1", "--format=%H", "--", GOLDEN, cwd=_REPOSITORY).strip()
    return Release("before", commit)


def template(folder: Path, name: str) -> dict[str, Any]:
    """Return the pod template of a golden file in the sources of a release."""
    objects = yaml.safe_load_all((folder / GOLDEN / f"{name}.yaml").read_text())
    (found,) = (each["spec"]["template"] for each in objects if each["kind"] == "Deployment")
    return dict(found)


def check_out(release: Release) -> Path:
    """Return the folder with a release's sources. Raise `ReleaseMissing` if this clone does not have its commit."""
    with exclusive(_FOLDER / ".lock", "checkout of a release"):
        if not release.folder.exists():
            unfinished = Path(tempfile.mkdtemp(prefix=".unfinished.", dir=_FOLDER))
            archive = unfinished / "sources.tar"
            try:
                run("git", "archive", "--output", archive, release.commit, cwd=_REPOSITORY)
            except CommandFailed as error:
                shutil.rmtree(unfinished)
                raise ReleaseMissing(
                    f"mill {release.version} is commit {release.commit}, which this clone does not have: "
                    "git fetch --unshallow"
                ) from error
            sources = unfinished / "sources"
            shutil.unpack_archive(archive, sources)
            sources.rename(release.folder)
            shutil.rmtree(unfinished)
    return release.folder


def build_release(release: Release) -> None:
    """Build the image of a release as `push_release` does and keep its layers, where no registry is needed."""
    with tempfile.TemporaryDirectory() as folder:
        _recipe_of(release, "--into", folder)


def push_release(release: Release, registry: str) -> str:
    """Build the image of a release by that release's own recipe and push it. Return its name by digest."""
    return _recipe_of(release, "--registry", registry).splitlines()[-1]


def _recipe_of(release: Release, *options: str) -> str:
    folder = check_out(release)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(folder / each) for each in _PACKAGES)}
    with step(f"building the image of mill {release.version}"):
        return run(*(sys.executable, "-m", "hack.images", "mill", *options), cwd=folder, env=environment)
