"""Gateways of a test's own: processes like the usual one, with other settings, each on a port of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from hack.cluster import Cluster
from hack.install import local_processes as local
from tests.e2e.conftest import free_port, wait_for


class GatewayProcess:
    """One gateway, with the rights of the gateway's account, unless the settings name another kubeconfig."""

    def __init__(self, cluster: Cluster, folder: Path, name: str = "gateway", **settings: str) -> None:
        self.log_file = folder / f"{name}.log"
        self.port = free_port()
        scheme = "https" if "MILL_TLS_CERT" in settings else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            **local.environment_of("gateway", cluster),
            "MILL_LISTEN_PORT": str(self.port),
            **settings,
        }
        self.start()

    def start(self) -> None:
        """Start it, or start it again after its end."""
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mill_gateway"], env=self._environment, stdout=log, stderr=log
            )

    def client(self, **options: Any) -> httpx.Client:
        """A client of it."""
        return httpx.Client(base_url=self.url, timeout=60, **options)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=30, verify=False)  # noqa: S501 - a test's own

    def answers(self, path: str = "/readyz") -> bool:
        """Whether a probe succeeds."""
        try:
            return self.get(path).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_until_ready(self) -> None:
        wait_for("the gateway", self.answers)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it cleanly; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def end(self) -> None:
        """Leave nothing of it, whatever it does."""
        if self.process.poll() is None:
            self.kill()
        print(f"--- {self.log_file.name}\n{self.log}")  # pytest shows this when the test fails


@contextmanager
def ready_gateway(cluster: Cluster, folder: Path, **settings: str) -> Iterator[GatewayProcess]:
    """Have a gateway with these settings, once it is ready, while the block runs."""
    gateway = GatewayProcess(cluster, folder, **settings)
    try:
        gateway.wait_until_ready()
        yield gateway
    finally:
        gateway.end()
