"""Operators of a test's own, as many as it wants: processes like the usual one, with other settings and ports."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from hack.cluster import Cluster
from hack.install import local_processes as local
from mill_kube.resources import LEASES
from mill_kube.rights import SYSTEM_NAMESPACE

from .conftest import free_port, wait_for

TERM = 15
"""Seconds for which a leader is elected: the default."""
WRITES = ("create", "update", "patch", "delete")


class Replica:
    """One operator. It has the rights of the operator's account, unless the settings name another kubeconfig."""

    def __init__(self, cluster: Cluster, folder: Path, name: str, **settings: str) -> None:
        self.log_file = folder / f"{name}.log"
        self.port = free_port()
        environment = {
            **os.environ,
            **local.environment_of("operator", cluster),
            "MILL_HEALTH_PORT": str(self.port),
            **settings,
        }
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mill_operator"], env=environment, stdout=log, stderr=log
            )

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def answers(self, path: str) -> bool:
        """Whether a probe succeeds."""
        try:
            return self.get(path).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_until_ready(self) -> None:
        wait_for("the operator", lambda: self.answers("/readyz"))

    def samples(self, name: str) -> dict[tuple[str, ...], float]:
        """The samples of a metric, by the values of their labels in alphabetical order of the labels."""
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.get("/metrics").text)
            for sample in family.samples
            if sample.name == f"mill_operator_{name}"
        }

    def sample(self, name: str, *labels: str) -> float:
        return self.samples(name)[labels]

    @property
    def leads(self) -> bool:
        try:
            return self.sample("leader") == 1
        except httpx.HTTPError:
            return False  # not yet, or not any more

    @property
    def writes(self) -> dict[tuple[str, str], float]:
        """How often it has written what, its Lease left out."""
        return {
            (verb, resource): count
            for (_code, resource, verb), count in self.samples("api_requests_total").items()
            if verb in WRITES and resource != LEASES.full_name
        }

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def records(self) -> list[dict[str, Any]]:
        """The log, if it is JSON."""
        return [json.loads(line) for line in self.log.splitlines()]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 30.0) -> int:
        """Wait for its end, and return the exit code."""
        return self.process.wait(timeout=seconds)

    def end(self) -> None:
        """Leave nothing of it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        print(f"--- {self.log_file.name}\n{self.log}")  # pytest shows this when the test fails


def without_lease(cluster: Cluster) -> None:
    """Delete the Lease: nobody waits for an operator of an earlier test."""
    lease = ("lease", "mill-operator", "--namespace", SYSTEM_NAMESPACE)
    subprocess.run(cluster.kubectl_command("delete", *lease, "--ignore-not-found"), check=True, capture_output=True)


def lease(cluster: Cluster) -> dict[str, Any]:
    """What stands in the Lease."""
    command = cluster.kubectl_command("get", "lease", "mill-operator", "--namespace", SYSTEM_NAMESPACE, "-o", "json")
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spec: dict[str, Any] = json.loads(answer)["spec"]
    return spec


def measure(what: str, condition: Any) -> float:
    """Wait for something, print and return how many seconds it took."""
    started = time.monotonic()
    wait_for(what, condition)
    seconds = time.monotonic() - started
    print(f"{what}: {seconds:.2f} s")
    return seconds


Start = Callable[..., Replica]
"""Starts an operator with these settings."""


@contextmanager
def without_the_operator(cluster: Cluster) -> Iterator[None]:
    """Have no operator but those that the block starts, and the usual one after it."""
    local.stop("operator")
    try:
        yield
    finally:
        without_lease(cluster)
        local.start(cluster, "operator")


@contextmanager
def instead_of_the_operator(cluster: Cluster, folder: Path) -> Iterator[Start]:
    """Have operators of the test's own while the block runs, and the usual one after it."""
    with without_the_operator(cluster), replicas(cluster, folder) as start:
        yield start


@contextmanager
def replicas(cluster: Cluster, folder: Path) -> Iterator[Start]:
    """Start operators that end with the block. None may run at its beginning."""
    without_lease(cluster)
    started: list[Replica] = []

    def start(**settings: str) -> Replica:
        started.append(Replica(cluster, folder, f"operator-{len(started)}", **settings))
        return started[-1]

    try:
        yield start
    finally:
        for replica in started:
            replica.end()


def elected(term: int = TERM) -> dict[str, str]:
    """Return the settings of an operator that works if it is elected, for so many seconds at a time."""
    return {
        "MILL_LEADER_ELECTION": "true",
        "MILL_LEASE_NAMESPACE": SYSTEM_NAMESPACE,
        "MILL_LEASE_SECONDS": str(term),
        "MILL_LOG_FORMAT": "json",
    }
