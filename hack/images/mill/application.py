"""The application's layer: the wheel of this repository, its programs, and the bill of materials of the whole image."""

import json
import tempfile
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path
from typing import Final

from hack.commands import run
from hack.images.mill import interpreter, sbom
from hack.images.mill.dependencies import uv
from hack.images.mill.layout import BILL, CONTROL, PACKAGES, ROOT, SCRIPTS

SOURCES: Final = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "crds/mill_api",
    "libs/mill_objects",
    "libs/mill_kube",
    "libs/mill_process",
    "libs/mill_language",
    "operator/mill_operator",
    "gateway/mill_gateway",
    "cli/mill_cli",
)
"""What the wheel is made of."""

BUILD: Final = "hack/locked/build.txt"
"""What builds the wheel, with hashes."""


def version() -> str:
    """Return the repository's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def make(tree: Path, base: Path, native: Path, dependencies: Path) -> None:
    """Fill a folder with the layer's content, for a base; `native` is one whose Python runs here."""
    packages = tree / PACKAGES
    packages.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as directory:
        locked = ("--build-constraints", ROOT / BUILD, "--require-hashes")
        run(uv(), "build", "--quiet", "--wheel", *locked, "--out-dir", directory, ROOT)
        (wheel,) = Path(directory).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    (entry_points,) = packages.glob("*.dist-info/entry_points.txt")
    scripts = tree / SCRIPTS
    scripts.mkdir()
    for name, content in programs(entry_points.read_text()).items():
        (scripts / name).write_text(content)
        (scripts / name).chmod(0o755)
    interpreter.compile_all(native, tree, PACKAGES)
    bill = sbom.bill(
        version(),
        debian=[file.read_text() for file in sorted((base / CONTROL).iterdir())],
        python=[
            file.read_text()
            for layer in (dependencies, tree)
            for file in sorted((layer / PACKAGES).glob("*.dist-info/METADATA"))
        ],
    )
    (tree / BILL).parent.mkdir(parents=True)
    (tree / BILL).write_text(json.dumps(bill, indent=1) + "\n")


def programs(entry_points: str) -> dict[str, str]:
    """Return the scripts that a wheel's entry points ask for: name → content."""
    parser = ConfigParser(delimiters=("=",))
    parser.read_string(entry_points)
    made = {}
    for name, target in parser["console_scripts"].items():
        module, function = target.split(":")
        lines = (f"#!/{SCRIPTS}/python", "import sys", f"from {module} import {function}", f"sys.exit({function}())")
        made[name] = "\n".join(lines) + "\n"
    return made
