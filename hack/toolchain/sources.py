"""Build Go programs of this repository, once per content of their sources."""

import hashlib
import os
from pathlib import Path

from hack.commands import run
from hack.toolchain.go import ARCHITECTURE, go


def compiled(source: Path, folder: Path) -> Path:
    """Return the program that a folder of Go sources makes, for Linux and this architecture; it is kept in `folder`."""
    sources = sorted(each for each in source.iterdir() if each.name == "go.mod" or each.suffix in (".go", ".sum"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
    program = folder / f"{source.name}-{ARCHITECTURE}-{digest}"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = program.with_name(f".{program.name}.{os.getpid()}")
        target = {**os.environ, "CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": ARCHITECTURE}
        run(go(), "build", "-trimpath", "-ldflags", "-s -w", "-o", str(unfinished), ".", cwd=source, env=target)
        unfinished.rename(program)
    return program
