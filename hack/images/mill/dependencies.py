"""The dependencies' layer: the locked distributions that operator and gateway need, in a virtual environment."""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

from hack.commands import run
from hack.images.mill import interpreter
from hack.images.mill.layout import HOME, PACKAGES, PROGRAM, PYTHON, ROOT, SCRIPTS, remove

EXTRAS: Final = ("operator", "gateway")
_PLATFORM: Final = {"amd64": "x86_64-manylinux_2_36", "arm64": "aarch64-manylinux_2_36"}
"""Wheels for Debian 12's C library, or older ones."""

_UNUSED: Final = (
    r"bin/.+",  # scripts of the distributions, for this machine's Python
    r"(.+/)?\.(?!libs/)[^/]+(/.+)?",  # hidden: locks, settings of tools
    r"[^/]+\.dist-info/(INSTALLER|RECORD|REQUESTED)",  # how it came here, with hashes of those scripts
    r"(.+/)?tests/.+",
    r".+\.(pyi|pyx|pxd|c|h)",
    # Typed calls and their models, two thirds of everything, are loaded when they are used. `mill_kube` uses none:
    # what it sends and gets are dicts.
    r"kubernetes/aio/client/(api|models)/(?!__init__\.py).+",
    # Of the rest it uses client and configuration, for asyncio.
    r"kubernetes/(client|config|dynamic|informer|leaderelection|stream|utils|watch)/.+",
    r"kubernetes/aio/(dynamic|leaderelection|stream|watch)/.+",
)
LEFT_OUT: Final = re.compile("|".join(_UNUSED))


_EMPTIED: Final = ("kubernetes/__init__.py", "kubernetes/aio/__init__.py")
"""They import what is left out."""

NEVER_IMPORTED: Final = (
    # of the parts of `kubernetes` that are left out
    "charset-normalizer",
    "durationpy",
    "oauthlib",
    "requests",
    "requests-oauthlib",
    "urllib3",
    "websocket-client",
    # of python-dateutil, for time zones by name
    "tzdata",
)
"""Distributions that others require and that no program of the image imports; `test_images.py` compares."""


def requirements() -> str:
    """Return what is locked, with hashes; fail if the lock is not up to date."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    extras += [word for name in NEVER_IMPORTED for word in ("--no-emit-package", name)]
    options = ("--locked", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate", "--quiet")
    return run(uv(), "export", *options, *extras, cwd=ROOT)


def make(tree: Path, architecture: str, base: Path, native: Path, locked: str) -> None:
    """Fill a folder with the layer's content, for a base; `native` is one whose Python runs here."""
    packages = tree / PACKAGES
    packages.mkdir(parents=True)
    platform = ("--python", sys.executable, "--python-version", PYTHON, "--python-platform", _PLATFORM[architecture])
    source = ("--requirements", "-", "--require-hashes", "--no-deps", "--only-binary", ":all:")
    target = ("--target", packages, "--link-mode", "copy")
    run(uv(), "pip", "install", "--quiet", *platform, *source, *target, stdin=locked)
    remove(packages, LEFT_OUT)
    for name in _EMPTIED:
        (packages / name).write_text("")
    scripts = tree / SCRIPTS
    scripts.mkdir()
    (scripts / "python").symlink_to(f"/{PROGRAM}")
    (tree / HOME / "pyvenv.cfg").write_text(
        f"home = {Path('/', PROGRAM).parent}\ninclude-system-site-packages = false\nversion = {PYTHON}\n"
    )
    interpreter.check_libraries(base, tree)
    interpreter.compile_all(native, tree, PACKAGES)


def uv() -> str:
    """Return uv, from beside our Python or from PATH."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise FileNotFoundError("uv is missing: make setup")
    return found
