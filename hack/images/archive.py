"""Make a one-layer image out of a few files, and push it.

The same files give the same bytes, so a second push uploads nothing.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hack.images import oci
from hack.images.tars import Entry, write_layer
from hack.toolchain.go import ARCHITECTURE

__all__ = ["ARCHITECTURE", "Image", "push"]


@dataclass(frozen=True)
class Image:
    """What goes into an image."""

    files: Mapping[str, Path]
    """Programs, by their path in the image."""
    entrypoint: Sequence[str]
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links: path in the image → target."""
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""


def push(image: Image, reference: str) -> None:
    """Push an image under a reference such as `127.0.0.1:5050/web:1`."""
    configuration = oci.Configuration(
        entrypoint=image.entrypoint, environment={"PATH": "/bin", **image.environment}, user=image.user
    )
    with tempfile.TemporaryDirectory() as directory:
        layer = write_layer(_entries(image), Path(directory) / "layer.tar.gz")
        oci.push(configuration, [layer], reference)


def _entries(image: Image) -> Iterator[Entry]:
    for name, file in sorted(image.files.items()):
        yield Entry(name.lstrip("/"), file, mode=0o755)
    for name, target in sorted(image.links.items()):
        yield Entry(name.lstrip("/"), link=target)
