"""Run a program to its end and get its output, or an error that shows what it said."""

import subprocess
from collections.abc import Mapping
from pathlib import Path


class CommandFailed(RuntimeError):
    """A program ended with an error."""

    def __init__(self, argv: list[str], code: int, output: str) -> None:
        self.code = code
        self.output = output
        super().__init__(f"{' '.join(argv)}: exit code {code}\n{output.strip()}")


def run(
    *argv: str | Path,
    stdin: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Return the standard output of a program; raise `CommandFailed` with all its output unless it exits with 0."""
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, input=stdin, cwd=cwd, env=env, timeout=timeout, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandFailed(words, done.returncode, done.stdout + done.stderr)
    return done.stdout
