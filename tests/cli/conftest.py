"""The process, and the gateway that it talks to.

Every process has a token in its environment, and after each test none of them may have printed it, nor a traceback.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_gateway import FakeGateway
from tests.cli.kubectl import LISTEN, Kubectl

# A test run in the background ignores Ctrl-C, and so would every process that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

MILL = Path(sys.executable).with_name("mill")
TOKEN = "tok-5e1f0c77a2"
ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "MILL_TOKEN": TOKEN}
"""Nothing of the developer's own: no kubeconfig, no proxy, no settings of mill."""
WITH = "import mill_cli.connection.{0} as module; {1}; from mill_cli.main import run; run()"
"""`mill` with other constants in one of its modules."""


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Running:
    """A process that has not ended yet."""

    process: subprocess.Popen[bytes]
    printed: list[str]

    def line(self) -> str:
        """Wait for the next line of its output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        self.printed.append(line)
        return line

    def ended(self, by: signal.Signals | None = None) -> Finished:
        """Send a signal, and wait for the end; the output is what was not read yet."""
        if by is not None:
            self.process.send_signal(by)
        stdout, stderr = self.process.communicate(timeout=30)
        self.printed.extend([stdout.decode(), stderr.decode()])
        return Finished(self.process.returncode, stdout.decode(), stderr.decode())


@dataclass(frozen=True)
class Mill:
    """`mill`, started in a folder of the test's own, told of the gateway by its environment."""

    gateway: FakeGateway
    folder: Path
    printed: list[str] = field(default_factory=list)
    command: Sequence[str] = (str(MILL),)

    def environment(self, **variables: str) -> dict[str, str]:
        """Return its environment; a variable that is empty counts as one that is not set."""
        return {**ENVIRONMENT, "HOME": str(self.folder), "MILL_ADDRESS": self.gateway.url, **variables}

    def __call__(self, *arguments: str, stdin: str | bytes | None = None, **variables: str) -> Finished:
        """Run it to its end, with pipes; the variables are added to its environment."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*self.command, *arguments],
            input=given if given is not None else b"",
            capture_output=True,
            env=self.environment(**variables),
            cwd=self.folder,
            timeout=60,
            check=False,
        )
        self.printed.extend([done.stdout.decode(), done.stderr.decode()])
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextmanager
    def started(self, *arguments: str, **variables: str) -> Iterator[Running]:
        """Have it run while the block does."""
        process = subprocess.Popen(
            [*self.command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**variables),
            cwd=self.folder,
        )
        with process:
            try:
                yield Running(process, self.printed)
            finally:
                process.kill()

    def shell(self, script: str, **variables: str) -> Finished:
        """Run a script of bash that calls `mill`."""
        path = f"{MILL.parent}:{os.environ['PATH']}"
        return Mill(self.gateway, self.folder, self.printed, ("bash", "-c"))(script, PATH=path, **variables)

    def having(self, module: str, **constants: Any) -> "Mill":
        """Return one with other constants in a module of `mill_cli.connection`: nobody waits a minute for a test."""
        program = WITH.format(module, "; ".join(f"module.{name} = {value!r}" for name, value in constants.items()))
        return Mill(self.gateway, self.folder, self.printed, (sys.executable, "-c", program))

    def nowhere(self) -> "Mill":
        """Return one whose default address is one where nothing listens."""
        return self.having("target", DEFAULT_ADDRESS="http://127.0.0.1:1")

    def file(self, text: str, name: str = "production.mill") -> str:
        """Write a file and return its name."""
        (self.folder / name).write_text(text)
        return name


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    """A gateway without answers."""
    with FakeGateway().running() as running:
        yield running


@pytest.fixture
def mill(gateway: FakeGateway, tmp_path: Path) -> Iterator[Mill]:
    """The command line."""
    made = Mill(gateway, tmp_path)
    yield made
    everything = "".join(made.printed)
    assert TOKEN not in everything
    assert "Traceback" not in everything


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    made = Kubectl(tmp_path)
    made.does(LISTEN)
    return made
