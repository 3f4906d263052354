"""Read which libraries a program or an extension module needs: of each architecture alike, without running anything."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LITTLE_64_BIT: Final = b"\x7fELF\x02\x01"
_SEGMENT_LOADED: Final = 1
_SEGMENT_DYNAMIC: Final = 2
_NEEDED: Final = 1
_STRINGS: Final = 5
_PATHS: Final = (15, 29)
"""DT_RPATH and DT_RUNPATH."""


@dataclass(frozen=True)
class Needs:
    """What a loader looks for, and where it looks first."""

    libraries: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """As they are written: `$ORIGIN` stands for the folder of the file."""


def needs(content: bytes) -> Needs:
    """Return what a file needs; nothing, if it is no 64-bit program or library of a little-endian machine."""
    if not content.startswith(_LITTLE_64_BIT):
        return Needs()
    (offset,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    segments = [_Segment(*struct.unpack_from("<I4xQQ8xQ", content, offset + size * number)) for number in range(count)]
    dynamic = [entry for each in segments if each.kind == _SEGMENT_DYNAMIC for entry in _entries(content, each)]
    strings = next((_place(segments, value) for tag, value in dynamic if tag == _STRINGS), 0)

    def named(*tags: int) -> Iterator[str]:
        for tag, value in dynamic:
            if tag in tags:
                start = strings + value
                yield content[start : content.index(b"\0", start)].decode()

    folders = tuple(folder for path in named(*_PATHS) for folder in path.split(":"))
    return Needs(tuple(named(_NEEDED)), folders)


def missing(file: Path, *trees: Path) -> list[str]:
    """Return the libraries that a file needs and that none of these trees has, where a loader looks."""
    found = needs(file.read_bytes())
    folders = [Path(each.replace("$ORIGIN", str(file.parent))) for each in found.folders if each.startswith("$ORIGIN")]
    for tree in trees:
        folders += [*tree.glob("lib/*-linux-gnu"), *tree.glob("usr/lib/*-linux-gnu")]
    return [name for name in found.libraries if not any((folder / name).exists() for folder in folders)]


@dataclass(frozen=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def _entries(content: bytes, segment: _Segment) -> Iterator[tuple[int, int]]:
    for place in range(segment.offset, segment.offset + segment.size, 16):
        tag, value = struct.unpack_from("<qQ", content, place)
        if not tag:
            return
        yield tag, value


def _place(segments: list[_Segment], address: int) -> int:
    """Return where in the file an address of memory is."""
    for each in segments:
        if each.kind == _SEGMENT_LOADED and each.address <= address < each.address + each.size:
            return address - each.address + each.offset
    raise ValueError(f"no segment has the address {address:#x}")
