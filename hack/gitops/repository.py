"""A Git repository that a GitOps tool reads."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.commands import run

_IDENTITY: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "mill"), ("EMAIL", "mill@localhost"))
}


@dataclass(frozen=True)
class Repository:
    """A bare repository, and a working copy of it."""

    bare: Path
    work: Path
    url: str

    def commit(self, files: Mapping[str, str | None], message: str) -> str:
        """Write files (None: remove one), commit and publish them. Return the commit."""
        for name, text in files.items():
            file = self.work / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        self._git("push", "--quiet", "origin", "HEAD:main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        return run("git", "-C", self.work, *arguments, env={**os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull})


def create(folder: Path, name: str, port: int) -> Repository:
    """Make an empty repository in `folder`/served, which a server on this port serves."""
    bare, work = folder / "served" / f"{name}.git", folder / "work" / name
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", bare)
    run("git", "clone", "--quiet", bare, work)
    return Repository(bare, work, f"http://127.0.0.1:{port}/{name}.git")
