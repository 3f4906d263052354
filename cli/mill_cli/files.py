"""The file that is deployed: `.mill`, or a MillDeployment in YAML or JSON; and what is wrong with it."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mill_cli.errors import CliError, Exit

if TYPE_CHECKING:  # a deploy sends the file as it is, and needs none of these
    from mill_api.language import InvalidConfig
    from mill_api.spec import MillDeploymentSpec

DEFAULT: Final = Path("./mill.conf")
STDIN: Final = Path("-")
_RESOURCE: Final = re.compile(rb"\A(\s*(#[^\n]*)?\n)*\s*(---|\{|apiVersion\s*:|kind\s*:)")


@dataclass(frozen=True, slots=True)
class File:
    """A file that has been read."""

    name: str
    text: bytes
    is_resource: bool
    """Whether it is a MillDeployment, rather than a `.mill` file."""

    def spec(self) -> "MillDeploymentSpec":
        """Return what it asks for. Raise `InvalidConfig` with all that is wrong."""
        if self.is_resource:
            from mill_cli.resource import read_resource

            return read_resource(self.text, self.name).spec
        from mill_api.language import parse

        return parse(self.text, filename=self.name)

    def services(self) -> list[str]:
        """Return the names of the services, in order, as far as they can be read."""
        from mill_api.language import InvalidConfig, service_names

        try:
            return [each.name for each in self.spec().services] if self.is_resource else service_names(self.text)
        except InvalidConfig:
            return []


def choose(positional: Path | None, option: Path | None) -> Path:
    """Return which file is meant."""
    if positional is not None and option is not None:
        raise CliError(Exit.USAGE, "the file is given twice", "give it as an argument, or with --file")
    return option or positional or DEFAULT


def read(path: Path) -> File:
    """Read a file, or standard input. Raise `CliError`."""
    try:
        text = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        advice = ["name a file: `mill deploy production.mill`"] if path == DEFAULT else []
        raise CliError(Exit.FILE, f"{path}: {error.strerror} (os error {error.errno})", *advice) from error
    known = {".yaml": True, ".yml": True, ".json": True, ".mill": False, ".conf": False, ".hcl": False}
    is_resource = known.get(path.suffix, _RESOURCE.match(text) is not None)
    return File("<stdin>" if path == STDIN else str(path), text, is_resource)


def refusal(error: "InvalidConfig", file: File) -> CliError:
    """Return what a person is told of a file that is refused: every problem with its place."""
    shown = error.render(file.text.decode(errors="replace"), color=False)
    return CliError(Exit.FAILED, re.sub(r"^error: ", "invalid config: ", shown, count=1))
