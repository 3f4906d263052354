"""The files of `examples/apps`, read as `mill` reads them: with the files beside them."""

from pathlib import Path
from typing import Final

from mill_api.spec import MillDeploymentSpec
from mill_cli import files
from mill_language.parser import ParsedFile

FOLDER: Final = Path(__file__).parents[2] / "examples" / "apps"
APPS: Final = sorted(FOLDER.glob("*.mill"))


def read(file: Path) -> ParsedFile:
    """Return what a file says, with its warnings."""
    return files.read(file).parsed


def spec_of(name: str) -> MillDeploymentSpec:
    """Return the spec of an application: `spec_of("gitea")`."""
    return read(FOLDER / f"{name}.mill").spec
