"""What is where in Mill's image, and how it is run. The Dockerfile says the same; a test compares."""

import re
from pathlib import Path
from typing import Final

from hack.images.oci import Configuration

ARCHITECTURES: Final = ("amd64", "arm64")
"""What the image is made for, in the words of Debian, Go and image manifests alike."""

ROOT: Final = Path(__file__).parents[3]
"""The repository."""

PYTHON: Final = "3.11"
"""Debian 12's."""
PROGRAM: Final = f"usr/bin/python{PYTHON}"
STANDARD_LIBRARY: Final = f"usr/lib/python{PYTHON}"
HOME: Final = "opt/mill"
"""A virtual environment, with everything that does not come from Debian."""
SCRIPTS: Final = f"{HOME}/bin"
PACKAGES: Final = f"{HOME}/lib/python{PYTHON}/site-packages"
CERTIFICATES: Final = "etc/ssl/certs/ca-certificates.crt"
CONTROL: Final = "var/lib/dpkg/status.d"
"""One file for each Debian package, where scanners look for them in images without dpkg."""
BILL: Final = "usr/share/mill/sbom.json"

USER: Final = 65532
ENVIRONMENT: Final = {
    "PATH": f"/{SCRIPTS}:/usr/bin",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "SSL_CERT_FILE": f"/{CERTIFICATES}",
}
COMMAND: Final = ("mill-operator",)
"""What runs unless the container names something else: `mill-gateway`, or `mill`."""
PORTS: Final = (4400, 4401)
LABELS: Final = {
    "org.opencontainers.image.title": "mill",
    "org.opencontainers.image.description": "mill-operator and mill-gateway: Mill on Kubernetes",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "dev.mill.sbom": f"/{BILL}",
}


def configuration(version: str, revision: str | None) -> Configuration:
    """Return how the image of a version is run; its revision is named if it is known."""
    labels = {**LABELS, "org.opencontainers.image.version": version}
    if revision:
        labels["org.opencontainers.image.revision"] = revision
    return Configuration(command=COMMAND, environment=ENVIRONMENT, user=f"{USER}:{USER}", ports=PORTS, labels=labels)


def remove(tree: Path, unwanted: re.Pattern[str]) -> None:
    """Delete the files and links of a folder whose path in it matches as a whole, and folders that are empty then."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif unwanted.fullmatch(path.relative_to(tree).as_posix()):
            path.unlink()
