"""A command without a terminal, and when it wrote each of its lines."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Line:
    """A line that a command wrote."""

    seconds: float
    """Since the command was started."""
    stream: str
    """`stdout` or `stderr`."""
    text: str


@dataclass(frozen=True)
class Timed:
    """A command that has ended."""

    code: int
    seconds: float
    lines: tuple[Line, ...]
    """Of both streams, in the order in which they were written."""

    @property
    def first(self) -> Line | None:
        """The first line."""
        return self.lines[0] if self.lines else None

    def first_with(self, text: str) -> Line | None:
        """Return the first line that has a text."""
        return next((each for each in self.lines if text in each.text), None)


def timed(argv: Sequence[str], environment: Mapping[str, str], limit: float, folder: Path | None = None) -> Timed:
    """Run a command with pipes as its streams, in a folder if one is given, and note when each line arrives."""
    began = time.monotonic()
    lines: dict[str, list[Line]] = {"stdout": [], "stderr": []}

    def read(stream: str, pipe: IO[str] | None) -> None:
        written = (Line(time.monotonic() - began, stream, text.rstrip("\n")) for text in pipe or ())
        lines[stream].extend(written)

    with subprocess.Popen(
        argv,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        pipes = {"stdout": process.stdout, "stderr": process.stderr}
        readers = [threading.Thread(target=read, args=each) for each in pipes.items()]
        for each in readers:
            each.start()
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            for each in readers:
                each.join()
    seconds = time.monotonic() - began
    in_order = sorted((each for of_stream in lines.values() for each in of_stream), key=lambda each: each.seconds)
    return Timed(code, seconds, tuple(in_order))
