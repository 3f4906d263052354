"""One `kubectl port-forward` as a child process."""

import contextlib
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Final

from mill_cli.reach.kubectl import line_of

_END_SECONDS: Final = 5
_READY: Final = "Forwarding from "
_LONGEST: Final = 64 * 1024
"""Characters of a line: kubectl writes shorter ones."""


class PortForward:
    """A process that forwards connections to one pod."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._errors: deque[str] = deque(maxlen=5)
        """The last lines of its standard error."""
        self.changes: queue.Queue[None] = queue.Queue()
        """Something may have changed: it is ready, or has ended."""
        self.ready = False
        """Whether it accepts connections."""
        self.ended = False
        readers = ((process.stdout, self._read_output), (process.stderr, self._errors.append))
        threads = [threading.Thread(target=_read, args=each, daemon=True) for each in readers]
        for each in threads:
            each.start()
        threading.Thread(target=self._wait, args=(threads,), daemon=True).start()

    @property
    def problem(self) -> str:
        """Why it has ended, in kubectl's words: the cause, and not only that the connection is lost."""
        lines = [line for each in self._errors if (line := line_of(each))]
        causes = [each for each in lines if each != "lost connection to pod"]
        return (causes or lines or ["kubectl port-forward has ended"])[-1]

    def _read_output(self, line: str) -> None:
        if line.startswith(_READY) and not self.ready:
            self.ready = True
            self.changes.put(None)

    def _wait(self, readers: Sequence[threading.Thread]) -> None:
        for each in readers:
            each.join()
        self._process.wait()
        self.ended = True
        self.changes.put(None)


@contextlib.contextmanager
def port_forward(kubectl: Sequence[str], pod: str, local: int, remote: int, address: str) -> Iterator[PortForward]:
    """Forward a port of this machine to a pod while the block runs."""
    command = [*kubectl, "port-forward", f"--address={address}", f"pod/{pod}", f"{local}:{remote}"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        yield PortForward(process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _read(stream: IO[str], add: Callable[[str], object]) -> None:
    while line := stream.readline(_LONGEST):
        add(line)
