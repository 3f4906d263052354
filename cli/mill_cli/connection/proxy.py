"""`kubectl proxy` as a child, which knows every kind of login to a cluster.

It listens on a socket in a folder of this user's alone, since whoever reaches it acts with this user's rights; and it
passes on what is for the gateway, nothing else.
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
"""Bytes of what kubectl says."""


@contextlib.contextmanager
def kubectl_proxy(target: ThroughCluster) -> Iterator[Path]:
    """Have a proxy to the API server while the block runs; yield its socket. Raise `CliError` if there can be none."""
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
                    Exit.CANNOT_CONNECT, "--context needs kubectl, which is not here", "install it, or give --address"
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
    """Wait until the proxy takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while not _listens(path):
        if process.poll() is not None or time.monotonic() > deadline:
            with stderr_file.open("rb") as stderr:
                message = one_line(stderr.read(_SHOWN).decode(errors="replace")).removeprefix("error: ")
            raise CliError(
                Exit.CANNOT_CONNECT,
                f"kubectl proxy does not run: {message or 'it does not answer'}",
                "`kubectl config get-contexts` lists the contexts that there are",
            )
        time.sleep(0.02)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
