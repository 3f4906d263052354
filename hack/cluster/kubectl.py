"""Find a kubectl that is new enough, or build one."""

import json
import re
import shutil
from functools import cache
from pathlib import Path

from hack import versions
from hack.commands import CommandFailed, run
from hack.toolchain.build import KUBECTL, build


def on_path() -> Path | None:
    """Return the kubectl on PATH if it is at least `versions.KUBECTL_MINIMUM`."""
    found = shutil.which("kubectl")
    return Path(found) if found and _version(found) >= versions.KUBECTL_MINIMUM else None


@cache
def kubectl() -> Path:
    """Return a kubectl: the one on PATH or our own."""
    found = on_path()
    if found:
        return found
    build([KUBECTL])
    return KUBECTL.path


def _version(program: str) -> tuple[int, ...]:
    try:
        version = json.loads(run(program, "version", "--client", "--output", "json"))["clientVersion"]
    except (CommandFailed, OSError, json.JSONDecodeError, KeyError):
        return ()
    # Distributions write a minor version such as "32+".
    return tuple(int(re.sub(r"\D", "", version[part])) for part in ("major", "minor"))
