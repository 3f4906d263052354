"""A kubectl that does what a test says, and services with pods that it finds."""

import os
import stat
from pathlib import Path
from typing import Any

LISTEN = """
trap 'echo ended >>"$LOG"; exit 143' TERM
echo "Forwarding from 127.0.0.1:${@: -1}" | sed 's/\\(.*\\):/\\1 -> /'
echo "Handling connection for 8080"
while :; do sleep 0.05; done
"""
"""What `kubectl port-forward` does while its pod is there."""
NOT_FOUND = """
echo 'Error from server (NotFound): pods "web-6d4f9-aaaaa" not found' >&2
exit 1
"""
READY = "Forwarding"


def allocation(name: str, status: str = "healthy", *, current: bool = True) -> dict[str, Any]:
    return {"id": name, "node": "node-1", "status": status, "current": current}


def service(*allocations: dict[str, Any], name: str = "web", **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "shop", "port": 8080, "allocations": list(allocations), **more}


ONE, TWO = allocation("web-6d4f9-aaaaa"), allocation("web-6d4f9-bbbbb")


class Kubectl:
    """A program of the name, and what it was called with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "bin"
        self._folder.mkdir()
        self._log = folder / "kubectl.log"

    def does(self, script: str) -> None:
        """Have it run a script of bash for `port-forward` and `exec`; any pod that it looks for is there."""
        self._write(
            "kubectl", f'LOG={self._log}\necho "$*" >>"$LOG"\ncase " $* " in *" get "*) exit 0;; esac\n{script}'
        )

    def browser(self) -> str:
        """Make a browser, and return what BROWSER must be."""
        return self._write("a-browser", f'echo "browser $1" >>{self._log}')

    def _write(self, name: str, script: str) -> str:
        program = self._folder / name
        program.write_text(f"#!/bin/bash\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return str(program)

    @property
    def path(self) -> str:
        return f"{self._folder}:{os.environ['PATH']}"

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []


def route(url: str, problem: str | None = None) -> dict[str, Any]:
    return {"url": url, "address": None if problem else "203.0.113.10", "problem": problem}
