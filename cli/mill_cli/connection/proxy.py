"""`kubectl proxy` as a child process: it supports every way to authenticate to a cluster.

It listens on a socket in a directory that only this user can open, since its clients act with this user's rights. It
forwards requests to the gateway alone.
"""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mill_cli.connection.target import ThroughCluster
from mill_cli.errors import CliError, Exit
from mill_cli.output.text import one_line

START_SECONDS: Final = 15.0
_SHOWN: Final = 2000
"""Bytes read of what kubectl writes to stderr."""


@contextlib.contextmanager
def kubectl_proxy(target: ThroughCluster) -> Iterator[Path]:
    """Run a proxy to the API server while the block runs; yield its socket. Raise `CliError` if it does not start."""
    with tempfile.TemporaryDirectory(prefix="mill-") as folder:
        path, stderr_file = Path(folder, "kubectl.sock"), Path(folder, "stderr")
        command = [
            *("kubectl", "--context", target.context, "proxy", f"--unix-socket={path}"),
            f"--accept-paths=^{target.path}/",
        ]
        with stderr_file.open("wb") as stderr:
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
            except FileNotFoundError:
                raise CliError(
                    Exit.CANNOT_CONNECT,
                    "--context needs kubectl, which is not installed",
                    "install kubectl, or use --address",
                    kind="cannot_connect",
                ) from None
        try:
            _wait(process, path, stderr_file)
            yield path
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], path: Path, stderr_file: Path) -> None:
    """Wait until the proxy accepts connections. Raise `CliError`."""
    deadline = time.monotonic() + START_SECONDS
    while not _listens(path):
        if process.poll() is not None or time.monotonic() > deadline:
            with stderr_file.open("rb") as stderr:
                message = one_line(stderr.read(_SHOWN).decode(errors="replace")).removeprefix("error: ")
            raise CliError(
                Exit.CANNOT_CONNECT,
                f"kubectl proxy failed: {message or 'no answer'}",
                "`kubectl config get-contexts` lists the contexts",
                kind="cannot_connect",
            )
        time.sleep(0.02)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
