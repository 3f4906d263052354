"""The operator as a process that a test ends, pauses and starts again."""

import contextlib
import signal
from collections.abc import Iterator, Mapping

from hack.cluster import Cluster
from hack.install import local_processes as local


class OperatorProcess:
    """The one operator of the machine."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._as_usual = True

    @property
    def log(self) -> str:
        """What it has written since it was started last."""
        return local.log_file("operator").read_text(errors="replace")

    def kill(self) -> None:
        """End it as a lost machine would."""
        print(self.log)  # the next one writes a log of its own; pytest shows this when the test fails
        local.send("operator", signal.SIGKILL)

    def launch(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, and do not wait until it works."""
        self._as_usual = not environment
        local.launch("operator", self._cluster, environment)

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it instead of the one that runs."""
        local.stop("operator")
        self.launch(environment)
        local.wait_until_ready("operator")

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Have none while the block runs."""
        local.stop("operator")
        yield
        self.start()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Have it stand still while the block runs."""
        local.send("operator", signal.SIGSTOP)
        try:
            yield
        finally:
            local.send("operator", signal.SIGCONT)

    def restore(self) -> None:
        """Leave one that runs as usual."""
        if not self._as_usual or local.running("operator") is None:
            self.start()
        local.wait_until_ready("operator")
