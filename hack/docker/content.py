"""Read what is in an image: each file of its layers, and how it is run."""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from hack.images.mill import Mill

_KINDS: Final = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "same file"}


@dataclass(frozen=True)
class Found:
    """A file, a folder or a link as a container sees it."""

    kind: str
    mode: int
    owner: str
    content: str
    """The hash of a file, the target of a link."""
    time: float


@dataclass(frozen=True)
class Content:
    """An image."""

    files: Mapping[str, Found]
    settings: Mapping[str, Any]
    """How it is run, with the record of how it was made."""


def of_saved(archive: Path) -> Content:
    """Return what is in an archive that `docker save` made of one image."""
    with tarfile.open(archive) as tar:
        (image,) = json.loads(_read(tar, "manifest.json"))
        files: dict[str, Found] = {}
        for layer in image["Layers"]:
            with _member(tar, layer) as stream, tarfile.open(fileobj=stream) as content:
                files |= dict(_files(content))
        return Content(files, json.loads(_read(tar, image["Config"])))


def of_layers(mill: Mill) -> dict[str, Found]:
    """Return what is in the layers of the image that was built without Docker."""
    files: dict[str, Found] = {}
    for layer in mill.layers:
        with tarfile.open(layer.file) as content:
            files |= dict(_files(content))
    return files


def differences(one: Mapping[str, Found], other: Mapping[str, Found]) -> list[str]:
    """Return a line for each path that is not the same in both."""
    return [
        f"{path}: {one.get(path, 'missing')} / {other.get(path, 'missing')}"
        for path in sorted(one.keys() | other.keys())
        if one.get(path) != other.get(path)
    ]


def holding(archive: Path, text: bytes) -> list[str]:
    """Return the names in an archive of `docker save`, and in its layers, whose content has a text."""
    found = []
    with tarfile.open(archive) as tar:
        (image,) = json.loads(_read(tar, "manifest.json"))
        for member in tar:
            if not member.isfile():
                continue
            if member.name in image["Layers"]:
                with _member(tar, member.name) as stream, tarfile.open(fileobj=stream) as layer:
                    names = [each.name for each in layer if each.isfile() and text in _read(layer, each.name)]
                    found += [f"{member.name}/{name}" for name in names]
            elif text in _read(tar, member.name):
                found.append(member.name)
    return found


def _files(tar: tarfile.TarFile) -> Iterator[tuple[str, Found]]:
    for member in tar:
        content = member.linkname
        if member.isfile():
            with _member(tar, member.name) as stream:
                content = hashlib.sha256(stream.read()).hexdigest()
        name = member.name.removeprefix("./").rstrip("/")
        kind, owner = _KINDS.get(member.type, "file"), f"{member.uid}:{member.gid}"
        yield name, Found(kind, member.mode & 0o7777, owner, content, member.mtime)


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    with _member(tar, name) as stream:
        return stream.read()


@contextmanager
def _member(tar: tarfile.TarFile, name: str) -> Iterator[IO[bytes]]:
    stream = tar.extractfile(name)
    if stream is None:
        raise ValueError(f"{name} in {tar.name!r} is no file")
    with stream:
        yield stream
