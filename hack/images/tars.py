"""Write layers: compressed tar archives that are equal, byte for byte, where their content is.

So a second push uploads nothing, and a node that has a layer does not load it again.
"""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A file, a folder or a link in an image; all of them belong to root."""

    name: str
    """Its path, without the slash at the beginning."""
    content: bytes | Path | None = None
    """None for a folder or a link."""
    link: str | None = None
    mode: int = 0o644


@dataclass(frozen=True)
class Layer:
    """A layer in a file."""

    file: Path
    digest: str
    """Of the file as it is."""
    diff_id: str
    """Of the archive in it, by which an image names its layers."""
    size: int
    """Of the file."""
    unpacked: int
    """Of the files in the archive."""


class _Hashing:
    """Passes on what is written, and hashes it."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def write_layer(entries: Iterable[Entry], file: Path) -> Layer:
    """Write entries, in their order, into a file."""
    unpacked = 0
    with file.open("wb") as stream:
        compressed = _Hashing(stream)
        # Neither a name nor a time in the header of gzip: both would differ from run to run.
        with gzip.GzipFile(filename="", mode="wb", fileobj=_as_file(compressed), compresslevel=6, mtime=0) as archive:
            plain = _Hashing(_as_file(archive))
            with tarfile.open(fileobj=_as_file(plain), mode="w|", bufsize=_BLOCK) as tar:
                for entry in entries:
                    unpacked += _add(tar, entry)
    return Layer(file, compressed.digest, plain.digest, file.stat().st_size, unpacked)


def entries_of(tree: Path) -> Iterator[Entry]:
    """Yield what is in a folder, in the order of names; of modes only whether a file may be executed counts."""
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_symlink():
            yield Entry(name, link=os.readlink(path), mode=0o777)  # noqa: PTH115 - as it is written, which Path mends
        elif path.is_dir():
            sticky = path.stat().st_mode & 0o1000
            yield Entry(name, mode=0o1777 if sticky else 0o755)
        else:
            yield Entry(name, path, mode=0o755 if path.stat().st_mode & 0o100 else 0o644)


def _add(tar: tarfile.TarFile, entry: Entry) -> int:
    info = tarfile.TarInfo(entry.name)
    info.mode = entry.mode
    if entry.link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
        tar.addfile(info)
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    else:
        content = entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return info.size


def _as_file(writer: Any) -> IO[bytes]:
    """What gzip and tarfile need of a file is that it can be written to."""
    file: IO[bytes] = writer
    return file
