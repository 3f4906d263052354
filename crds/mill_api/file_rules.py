"""The rules of the files of one service or task: what each must have, and what they must not hide of one another."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from mill_api.constraints import MAX_FILE_BYTES, MAX_FILES
from mill_api.problems import Problem, text_problems
from mill_api.references import OPEN, SecretRef, parse_word
from mill_api.text_rules import FILE_MODE, FILE_PATH, SECRET_NAME

CEL: Final = "has(self.content) != has(self.secret)"
CEL_MESSAGE: Final = "a file has either a content or a secret"
_OF_THE_KERNEL: Final = ("/proc", "/sys", "/dev/pts")
"""Folders in which no file can be mounted: the container would never start."""
_DEVICES: Final = ("/dev", "/dev/null")
"""Paths at which it would not start either: files elsewhere in /dev can be mounted. Tried with containerd and runc."""
_PATH_ADVICE: Final = "write the path at which the program reads the file, such as /etc/app.conf"
_ADVICE: Final = 'write one of content = "…", from = "…" and secret = "…"'


class FileFields(Protocol):
    """The fields of a file that the rules read."""

    @property
    def path(self) -> str: ...
    @property
    def content(self) -> str | None: ...
    @property
    def secret(self) -> str | None: ...
    @property
    def mode(self) -> str | None: ...


class MountedVolume(Protocol):
    """The fields of a volume that the rules read."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...


def file_breaches(files: Sequence[FileFields], volumes: Sequence[MountedVolume]) -> Iterator[Problem]:
    """Yield every breach, in the order of the files."""
    known: dict[str, str] = {}
    places = {volume.path.rstrip("/"): f"volume.{volume.name}" for volume in reversed(volumes)}
    for file in files[:MAX_FILES]:
        where = f"file.{file.path}"
        yield from _of_one(file, where)
        yield from _hidden(file.path, where, known, places)
        known.setdefault(file.path, where)
    if len(files) > MAX_FILES:
        advice = "put files that belong together into the image or a volume"
        yield Problem(f"file.{files[MAX_FILES].path}", f"more than {MAX_FILES} files", advice)
    yield from _too_large(files)


def content_bytes(file: FileFields) -> int:
    """Return the bytes of a file's own text, in UTF-8."""
    text = file.content or ""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _of_one(file: FileFields, where: str) -> Iterator[Problem]:
    yield from text_problems(where, FILE_PATH, file.path)
    if (folder := next((each for each in _OF_THE_KERNEL if f"{file.path}/".startswith(f"{each}/")), None)) is not None:
        yield Problem(where, f"{folder} is the kernel's: no file can be mounted there", _PATH_ADVICE)
    if file.path in _DEVICES:
        yield Problem(where, f"no file can be mounted at {file.path}, which every container needs", _PATH_ADVICE)
    if file.content is not None and file.secret is not None:
        advice = "remove one of them: a file has one text"
        yield Problem(f"{where}.secret", CEL_MESSAGE, advice, (f"{where}.content",))
    if file.content is None and file.secret is None:
        absent = tuple(f"{where}.{each}" for each in ("content", "from", "secret"))
        yield Problem(where, "a file needs a content or a secret", _ADVICE, (), absent)
    if file.secret is not None:
        yield from text_problems(f"{where}.secret", SECRET_NAME, file.secret)
    if file.mode is not None:
        yield from text_problems(f"{where}.mode", FILE_MODE, file.mode)
    if file.content is not None and OPEN in file.content:
        secrets = (part.name for part in parse_word(file.content) if isinstance(part, SecretRef))
        if (secret := next(secrets, None)) is not None:
            yield Problem(
                f"{where}.content",
                "a file's content cannot hold a secret: no value passes through the operator",
                f'write secret = "{secret}" instead of the content, or use a variable in `env` where the program '
                "expands it; $${…} stands for the text ${…}",
            )


def _hidden(path: str, where: str, known: dict[str, str], volumes: dict[str, str]) -> Iterator[Problem]:
    """Yield what another file or a volume has at the same path, above it or below it."""
    if path in known:
        yield Problem(where, f"another file has the path '{path}'", "name each path once", (known[path],))
    for other, first in known.items():
        above, below = sorted((path, other), key=len)
        if below.startswith(f"{above}/"):
            message = f"'{above}' is a file here, and a folder there"
            yield Problem(where, message, "give one of them another path", (first,))
    for folder, volume in volumes.items():
        if path == folder or path.startswith(f"{folder}/"):
            message = (
                f"volume '{volume.removeprefix('volume.')}' is mounted at '{folder or '/'}', and would hold the file"
            )
            advice = "mount the volume at another path, or write the file into the volume from the program"
            yield Problem(where, message, advice, (f"{volume}.path",))
        elif folder.startswith(f"{path}/"):
            message = f"'{path}' is a file here, and a folder there"
            yield Problem(where, message, "give one of them another path", (f"{volume}.path",))


def _too_large(files: Sequence[FileFields]) -> Iterator[Problem]:
    sizes = [(content_bytes(file), file.path) for file in files]
    total = sum(size for size, _ in sizes)
    if total > MAX_FILE_BYTES:
        largest, path = max(sizes)
        yield Problem(
            f"file.{path}",
            f"the files have {total:,} bytes, {largest:,} of them here; the limit is {MAX_FILE_BYTES:,}",
            "put large files into the image or a volume",
        )
