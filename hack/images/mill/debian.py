"""Fetch packages from Debian's mirrors, checked by its keys, whatever the machine itself is set up with."""

import shutil
import tempfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path
from typing import Final

from hack.commands import run

RELEASE: Final = "bookworm"
_KEYS: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCES: Final = (
    ("http://deb.debian.org/debian", RELEASE),
    ("http://deb.debian.org/debian-security", f"{RELEASE}-security"),
)


class NoDebian(RuntimeError):
    """This machine has not what it takes to read Debian's packages."""


def fetch(packages: Sequence[str], architecture: str, folder: Path) -> list[Path]:
    """Download the newest version of each package; return the files, in the order of names."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and _KEYS.exists()):
        raise NoDebian(
            "the image is made of Debian's packages: needed are apt-get, dpkg-deb and debian-archive-keyring, as "
            "Debian and Ubuntu have them; elsewhere use `docker build`"
        )
    with tempfile.TemporaryDirectory() as state:
        options = _options(Path(state), architecture)
        run("apt-get", *options, "update", "-qq")
        run("apt-get", *options, "download", "-qq", *packages, cwd=folder)
    return sorted(folder.glob("*.deb"))


def unpack(package: Path, tree: Path) -> None:
    """Put a package's files into a folder; none of its scripts is run."""
    run("dpkg-deb", "--extract", package, tree)


def control(package: Path) -> str:
    """Return what a package says of itself: its name, its version and so on."""
    return run("dpkg-deb", "--field", package)


def name_of(control_text: str) -> str:
    """Return the package's name."""
    return str(Parser().parsestr(control_text)["Package"])


def _options(state: Path, architecture: str) -> list[str]:
    """Return options by which apt knows Debian's sources only, and writes into this folder only."""
    sources = state / "sources.list"
    lines = [f"deb [signed-by={_KEYS}] {mirror} {suite} main" for mirror, suite in _SOURCES]
    sources.write_text("\n".join(lines) + "\n")
    (state / "status").touch()
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",  # apt's own user may not read what is below a home folder
        "Acquire::Languages": "none",
        "Dir::Cache": state / "cache",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
