"""Debian as an image, made of its packages: the base of a build where no registry of images can be reached."""

import tempfile
from pathlib import Path
from typing import Final

from hack.cluster import packages
from hack.commands import run
from hack.docker.engine import CACHE, Engine
from hack.images.mill.debian import RELEASE
from hack.progress import step
from hack.toolchain.go import ARCHITECTURE

IMAGE: Final = f"mill-dev/debian:{RELEASE}"
_MIRROR: Final = "http://deb.debian.org/debian"
_SECURITY: Final = f"deb http://deb.debian.org/debian-security {RELEASE}-security main\n"
_AUTHORITIES: Final = Path("/usr/local/share/ca-certificates")
_SECONDS: Final = 900.0


def load(engine: Engine) -> str:
    """Give the engine the image; return its name."""
    engine.docker("import", _archive(), IMAGE)
    return IMAGE


def authorities() -> str:
    """Return the certificates that this machine trusts beside its distribution's: a proxy's, for one. May be empty."""
    return "".join(file.read_text().strip() + "\n" for file in sorted(_AUTHORITIES.glob("**/*.crt")))


def _archive() -> Path:
    """Return a tar archive of a minimal Debian; it is made once. Security updates are installed by those who use it."""
    archive = CACHE / f"debian-{RELEASE}-{ARCHITECTURE}.tar"
    if not archive.exists():
        packages.install({"debootstrap": "debootstrap"})
        archive.parent.mkdir(parents=True, exist_ok=True)
        with step("making an image of Debian"), tempfile.TemporaryDirectory(dir=archive.parent) as folder:
            root, unfinished = Path(folder, "root"), Path(folder, archive.name)
            # What it mounts meanwhile goes with the namespace.
            alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
            run(*alone, "debootstrap", "--variant=minbase", RELEASE, root, _MIRROR, timeout=_SECONDS)
            with (root / "etc/apt/sources.list").open("a") as sources:
                sources.write(_SECURITY)
            left_out = ("./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*", "./dev/*")
            run("tar", "--directory", root, *(f"--exclude={each}" for each in left_out), "-cf", unfinished, ".")
            unfinished.rename(archive)
    return archive
