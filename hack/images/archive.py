"""Make a one-layer image out of a few files, and push it with crane.

The archive has the format of `docker save`. The same files give the same bytes, so a second push uploads nothing.
"""

import hashlib
import io
import json
import platform
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hack.commands import run
from hack.toolchain.build import CRANE, build

ARCHITECTURE: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
    platform.machine(), platform.machine()
)
"""This machine's, in the words of Go and of image manifests; the local nodes have the same."""


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
    build([CRANE])
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "image.tar"
        _write(archive, image)
        run(CRANE.path, "push", archive, reference)


def _write(archive: Path, image: Image) -> None:
    layer = _layer(image)
    configuration = {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": ["PATH=/bin", *(f"{name}={value}" for name, value in image.environment.items())],
            "User": image.user,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        _add(tar, "config.json", json.dumps(configuration).encode())
        _add(tar, "layer.tar", layer)
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _layer(image: Image) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, file in sorted(image.files.items()):
            _add(tar, name.lstrip("/"), file.read_bytes(), mode=0o755)
        for name, target in sorted(image.links.items()):
            link = tarfile.TarInfo(name.lstrip("/"))
            link.type = tarfile.SYMTYPE
            link.linkname = target
            tar.addfile(link)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = mode
    tar.addfile(entry, io.BytesIO(content))
