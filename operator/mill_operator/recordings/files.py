"""The files of a recording: read within bounds, from paths, folders or standard input."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from mill_api import names
from mill_language import InvalidConfig, parse
from mill_objects import fields
from mill_objects.json import Json
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.recordings.documents import MAX_BYTES, read_documents
from mill_operator.recordings.errors import RecordingError
from mill_operator.recordings.frames import Reading
from mill_operator.recordings.specs import refused

STANDARD_INPUT: Final = "-"
SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
"""Files of a folder that are read."""


def read_recordings(paths: Sequence[str]) -> Reading:
    """Read all files. Raise `RecordingError`."""
    reading = Reading()
    left = MAX_BYTES
    for path in paths:
        for name, data in _contents(path, left):
            left -= len(data)
            for document in read_documents(data, name):
                reading.add(document, name)
    return reading


def read_spec(path: str) -> Json:
    """Return the spec of a `.mill` file, or of a MillDeployment as YAML or JSON. Raise `RecordingError`."""
    if Path(path).is_dir():
        raise RecordingError(f"--spec: {one_line(path, limits.TEXT_BYTES)} is a folder")
    ((name, data),) = _contents(path, MAX_BYTES)
    if path.endswith(".mill"):
        try:
            return parse(data, filename=name).to_wire()
        except InvalidConfig as error:
            found = (f"{each.filename}:{each.line}:{each.column}: {each.message}" for each in error.diagnostics)
            raise RecordingError("\nerror: ".join(found)) from None
    for document in read_documents(data, name):
        if fields.text(document, "kind") == names.KIND:
            spec = dict(fields.mapping(document, "spec"))
            if problem := refused(spec):
                raise RecordingError(f"{name}: the spec is refused: {problem}")
            return spec
    raise RecordingError(f"{name}: no {names.KIND}")


def _contents(path: str, limit: int) -> Iterator[tuple[str, bytes]]:
    name = "standard input" if path == STANDARD_INPUT else one_line(path, limits.TEXT_BYTES)
    try:
        if path == STANDARD_INPUT:
            yield name, _bounded(sys.stdin.buffer.read(limit + 1), name, limit)
            return
        found = Path(path)
        inner = sorted(each for each in found.iterdir() if each.suffix in SUFFIXES) if found.is_dir() else [found]
        if not inner:
            raise RecordingError(f"{name}: no .yaml, .yml or .json file in this folder")
        for each in inner:
            with each.open("rb") as file:
                data = _bounded(file.read(limit + 1), one_line(str(each), limits.TEXT_BYTES), limit)
            limit -= len(data)
            yield one_line(str(each), limits.TEXT_BYTES), data
    except (OSError, ValueError) as error:
        if isinstance(error, RecordingError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RecordingError(f"{name}: cannot be read: {reason}") from None


def _bounded(data: bytes, name: str, limit: int) -> bytes:
    if len(data) > limit:
        raise RecordingError(f"{name}: more than {MAX_BYTES // 1024 // 1024} MiB: record fewer objects at once")
    return data
