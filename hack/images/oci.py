"""Make an image of layers, as the OCI's image layout has it, and push it with crane."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hack.commands import run
from hack.images.tars import Layer
from hack.toolchain.build import CRANE, build
from hack.toolchain.go import ARCHITECTURE

_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIGURATION: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Configuration:
    """How an image is run, and what is said of it."""

    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    ports: Sequence[int] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self, layers: Sequence[Layer], architecture: str = ARCHITECTURE) -> dict[str, Any]:
        """Return the image's configuration; it has no time, so that equal images are equal."""
        settings = {
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.command),
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "User": self.user,
            "ExposedPorts": {f"{port}/tcp": {} for port in self.ports},
            "Labels": dict(sorted(self.labels.items())),
        }
        return {
            "architecture": architecture,
            "os": "linux",
            "config": {name: value for name, value in settings.items() if value},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }


@dataclass(frozen=True)
class Variant:
    """An image for one architecture."""

    architecture: str
    configuration: Configuration
    layers: Sequence[Layer]


def push(configuration: Configuration, layers: Sequence[Layer], reference: str) -> str:
    """Push an image for this machine's architecture, named as `127.0.0.1:5050/web:1`; return its name by digest."""
    return _push([Variant(ARCHITECTURE, configuration, layers)], reference)


def push_index(variants: Sequence[Variant], reference: str) -> str:
    """Push an image for several architectures under one reference; return its name by digest."""
    return _push(variants, reference, "--index")


def write_layout(folder: Path, variants: Sequence[Variant]) -> None:
    """Write images into a folder, as the OCI has it."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [_manifest(blobs, each) for each in variants]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))


def _push(variants: Sequence[Variant], reference: str, *options: str) -> str:
    build([CRANE])
    with tempfile.TemporaryDirectory() as directory:
        write_layout(Path(directory), variants)
        return run(CRANE.path, "push", *options, directory, reference).strip()


def _manifest(blobs: Path, variant: Variant) -> dict[str, Any]:
    """Write an image; return what an index says of it."""
    for layer in variant.layers:
        blob = blobs / layer.digest.removeprefix("sha256:")
        shutil.copyfile(layer.file, blob)  # crane takes no link
    configuration = variant.configuration.document(variant.layers, variant.architecture)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _blob(blobs, _CONFIGURATION, configuration),
        "layers": [{"mediaType": _LAYER, "digest": layer.digest, "size": layer.size} for layer in variant.layers],
    }
    platform = {"architecture": variant.architecture, "os": "linux"}
    return {**_blob(blobs, _MANIFEST, manifest), "platform": platform}


def _blob(blobs: Path, media_type: str, document: Mapping[str, Any]) -> dict[str, Any]:
    content = json.dumps(document).encode()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
