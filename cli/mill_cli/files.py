"""The file of a command: `.mill`, or a MillDeployment in YAML or JSON; and its problems."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mill_api.limits import MILL_FILE_BYTES
from mill_cli.errors import CliError, Exit
from mill_cli.finding_files import DEFAULT, default_file, folder_hints, missing_file_hints
from mill_cli.inputs import NOTHING, FileInputs, unknown
from mill_cli.output.text import printable

if TYPE_CHECKING:  # a deploy sends the file unparsed and needs none of these
    from mill_api.spec import MillDeploymentSpec
    from mill_cli.resource import Resource
    from mill_language import Diagnostic, InvalidConfig
    from mill_language.parser import ParsedFile

STDIN: Final = Path("-")
STDIN_NAME: Final = "<stdin>"
"""The name of standard input in messages."""
MAX_BYTES: Final = 2 * 1024 * 1024
"""Maximum bytes of a file in YAML or JSON: more than the API server stores of a resource."""
_RESOURCE: Final = re.compile(rb"---|%YAML|\{|([\"']?)[A-Za-z_][\w.-]*\1[ \t]*:(?:\s|$)")
"""The beginning of YAML or JSON, which is none of a `.mill` file."""
_MILL: Final = re.compile(rb"[A-Za-z_][\w-]*(?:[ \t]+(?:\"[^\"]*\"|[\w-]+))*[ \t]*\{")
"""The beginning of a `.mill` file: a block."""
_RESOLVED: Final = re.compile(rb"\b(?:variable|use|env_file|from)\b|\benv[ \t]+[\"A-Za-z_]")
"""What is in every file with variables, or with environments or texts from elsewhere. Others are sent unparsed."""
_IS_RESOURCE: Final = {".yaml": True, ".yml": True, ".json": True}


@dataclass(frozen=True)
class File:
    """A file that has been read."""

    name: str
    text: bytes
    is_resource: bool
    """Whether it is a MillDeployment, rather than a `.mill` file."""
    inputs: FileInputs = NOTHING
    """What is given to it."""
    folder: Path = Path()
    """The folder in which it is."""

    @property
    def may_be_resolved(self) -> bool:
        """Whether it may have variables, or parts of other files, so that others cannot read its text."""
        return not self.is_resource and (bool(self.inputs) or _RESOLVED.search(self.text) is not None)

    @property
    def parsed(self) -> "ParsedFile":
        """The `.mill` file, parsed once. Raise `InvalidConfig`, or `CliError` for what is given to it."""
        from mill_language import InvalidConfig

        if isinstance(self._mill, InvalidConfig):
            raise self._mill
        return self._mill

    @cached_property
    def _mill(self) -> "ParsedFile | InvalidConfig":
        from mill_language import InvalidConfig, parse_file
        from mill_language.inputs import UnknownVariables

        try:
            return parse_file(self.text, filename=self.name, inputs=self.inputs.read(self.folder))
        except InvalidConfig as error:
            return error
        except UnknownVariables as error:
            raise unknown(error, legible(self.name)) from error

    @property
    def resource(self) -> "Resource":
        """The MillDeployment of the file, parsed once. Raise `InvalidConfig`."""
        from mill_language import InvalidConfig

        if isinstance(self._parsed, InvalidConfig):
            raise self._parsed
        return self._parsed

    @cached_property
    def _parsed(self) -> "Resource | InvalidConfig":
        from mill_cli.resource import read_resource
        from mill_language import InvalidConfig

        try:
            return read_resource(self.text, self.name)
        except InvalidConfig as error:
            return error

    def spec(self) -> "MillDeploymentSpec":
        """Return the spec. Raise `InvalidConfig` with all problems."""
        if self.is_resource:
            return self.resource.spec
        return self.parsed.spec

    def services(self) -> list[str]:
        """Return the names of the services, in order; none of a MillDeployment that cannot be read."""
        from mill_language import InvalidConfig, service_names

        try:
            if self.is_resource or self.may_be_resolved:
                return [each.name for each in self.spec().services]
            return service_names(self.text)
        except InvalidConfig:
            return []


def choose(positional: Path | None, option: Path | None, *, notice: Callable[[str], None] | None = None) -> Path:
    """Return the path of the file, or of the default, of which `notice` gets the name. Raise `CliError`."""
    if positional is not None and option is not None:
        raise CliError(Exit.USAGE, "the file is given twice", "give it as an argument or with --file")
    if (given := option or positional) is not None:
        return given
    found = default_file()
    if notice is not None and found != DEFAULT:
        notice(f"note: no file is given; this is {legible(str(found))}")
    return found


def read(path: Path, inputs: FileInputs = NOTHING) -> File:
    """Read a file, or standard input, with what is given to it. Raise `CliError`."""
    name = STDIN_NAME if path == STDIN else str(path)
    try:
        text = read_bounded(path, MAX_BYTES)
    except OSError as error:
        raise CliError(Exit.FILE, f"{path}: {error.strerror}", *_reading_hints(error, path)) from error
    if text is None:
        own = "" if path.suffix in _IS_RESOURCE else f"; a .mill file has at most {MILL_FILE_BYTES:,}"
        raise CliError(
            Exit.FILE,
            f"{name}: more than {MAX_BYTES:,} bytes{own}",
            "check that this is a .mill file or a MillDeployment",
            kind="file_too_large",
        )
    folder = Path() if path == STDIN else path.parent
    file = _checked(File(name, text, _is_resource(text, path.suffix), inputs, folder))
    if file.is_resource and inputs:
        raise CliError(Exit.USAGE, f"{legible(name)} is a MillDeployment, and has no variables", "give it as it is")
    return file


def _checked(file: File) -> File:
    """Return a file that is not too large for its form. Raise `CliError`."""
    if not file.is_resource and len(file.text) > MILL_FILE_BYTES:
        message = f"{legible(file.name)}: {len(file.text):,} bytes; a .mill file has at most {MILL_FILE_BYTES:,}"
        advice = "check that this is a .mill file; large values belong into images, volumes or secrets"
        raise CliError(Exit.FILE, message, advice, kind="file_too_large")
    return file


def _reading_hints(error: OSError, path: Path) -> list[str]:
    if isinstance(error, FileNotFoundError):
        return missing_file_hints(path)
    return folder_hints(path) if isinstance(error, IsADirectoryError) else []


def read_bounded(path: Path, limit: int) -> bytes | None:
    """Return the content of a file or of standard input; None if it has more than `limit` bytes. Raise `OSError`.

    It reads no more than that: a device or a pipe may not end.
    """
    if path == STDIN:
        data = sys.stdin.buffer.read(limit + 1)
    else:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    return data if len(data) <= limit else None


def _is_resource(text: bytes, suffix: str) -> bool:
    """Whether a text is YAML or JSON rather than `.mill`, by its first line that is no comment, or else by its name."""
    first = _first_line(text)
    if suffix in _IS_RESOURCE:
        return _MILL.match(first) is None
    return _RESOURCE.match(first) is not None


def _first_line(text: bytes) -> bytes:
    """Return the first line that is neither blank nor a comment; empty if there is none."""
    at = 0
    while at < len(text):
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].strip()
        if line and not line.startswith((b"#", b"//")):
            return line
        at = end + 1
    return b""


class InvalidFile(CliError):
    """A file with problems: each with its place."""

    def __init__(self, error: "InvalidConfig", file: File) -> None:
        first, *others = self._problems = [_legible(each) for each in error.diagnostics]
        what = f"{first.path}: {first.message}" if first.path else first.message
        more = f" (and {len(others)} more)" if others else ""
        place = f"{first.filename}:{first.line}:{first.column}"
        super().__init__(Exit.FAILED, f"invalid config: {place}: {what}{more}", kind="invalid_mill_file")
        self._shown = shown(error, file, color=False)

    def render(self) -> str:
        """Return all problems as a compiler shows them."""
        return re.sub(r"^error: ", "error: invalid config: ", self._shown, count=1)

    def to_json(self) -> dict[str, Any]:
        """Return the error with all problems, as `mill validate --json` prints them."""
        return super().to_json() | {"diagnostics": [each.to_json() for each in self._problems]}


def shown(error: "InvalidConfig", file: File, *, color: bool) -> str:
    """Return all problems of a file as a compiler shows them, with foreign text made printable."""
    from mill_language import InvalidConfig

    return InvalidConfig(map(_legible, error.diagnostics)).render(file.text.decode(errors="replace"), color=color)


def legible(name: str) -> str:
    """Return the name of a file, printable and on one line."""
    return printable(name).replace("\n", " ")


def _legible(problem: "Diagnostic") -> "Diagnostic":
    return replace(
        problem,
        filename=legible(problem.filename),
        path=problem.path and legible(problem.path),
        message=legible(problem.message),
        help=problem.help and legible(problem.help),
        related=tuple(replace(each, message=legible(each.message)) for each in problem.related),
    )
