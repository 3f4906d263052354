"""A real cluster for the whole run, a namespace for each test, and what explains a failure when one fails."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hack import images
from hack.cluster import Cluster, describe, node_images, up
from hack.install import local_processes as local
from hack.install.crd import install_crd

WAIT_SECONDS = 60.0
os.environ.setdefault("MILL_SETTLE", "1s")  # of every operator that a test starts; tests of the window set their own
MILL = Path(sys.executable).with_name("mill")
GATEWAY = f"http://127.0.0.1:{local.GATEWAY_PORT}"


def wait_for(what: str, condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """Poll until `condition` gives something true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        if result := condition():
            return result
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Finished:
    """A program that has ended."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Namespace:
    """A namespace of the test's own, and everything that a user would do in it."""

    name: str
    cluster: Cluster
    folder: Path
    gateway: str = GATEWAY
    commands: list[str] = field(default_factory=list)

    @property
    def registry(self) -> str:
        return self.cluster.registry

    def run(self, *argv: str, stdin: str | None = None, check: bool = True) -> Finished:
        self.commands.append(" ".join(argv))
        environment = {**os.environ, **self.cluster.environment(), "MILL_ADDRESS": self.gateway}
        done = subprocess.run(
            argv, input=stdin or "", env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert not check or done.returncode == 0, f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return Finished(done.returncode, done.stdout, done.stderr)

    def kubectl(self, *argv: str, stdin: str | None = None, check: bool = True) -> str:
        command = self.cluster.kubectl_command("--namespace", self.name, *argv)
        return self.run(*command, stdin=stdin, check=check).stdout

    def get(self, *argv: str) -> dict[str, Any]:
        """`kubectl get … -o json`; empty if there is no such object."""
        answer = self.kubectl("get", *argv, "-o", "json", "--ignore-not-found")
        return json.loads(answer) if answer else {}

    def items(self, *argv: str) -> list[dict[str, Any]]:
        """The items of `kubectl get … -o json`."""
        return self.get(*argv).get("items", [])

    def mill(self, *argv: str, stdin: str | None = None) -> Finished:
        return self.run(str(MILL), *argv, "--namespace", self.name, stdin=stdin, check=False)

    def deploy(self, text: str, *options: str) -> Finished:
        """`mill deploy` of a file with this text; `REGISTRY` in it stands for the registry."""
        file = self.folder / "production.mill"
        file.write_text(text.replace("REGISTRY", self.registry))
        return self.mill("deploy", "-f", str(file), *options)

    def pods(self, service: str) -> list[dict[str, Any]]:
        """The service's pods that are not being deleted."""
        items = self.items("pods", "-l", f"mill.dev/service={service}")
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, service: str) -> dict[str, str]:
        """The service's ready pods: uid to address."""
        return {
            pod["metadata"]["uid"]: pod["status"]["podIP"]
            for pod in self.pods(service)
            if any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))
        }

    def pods_created(self, service: str) -> int:
        """Return how many pods the ReplicaSets of a service have created."""
        events = self.items("events", "--field-selector", "reason=SuccessfulCreate,involvedObject.kind=ReplicaSet")
        ours = (each for each in events if each["involvedObject"]["name"].startswith(f"{service}-"))
        return sum(each.get("count") or 1 for each in ours)

    def status(self, name: str = "mill") -> dict[str, Any]:
        return self.get("milldeployment", name).get("status", {})

    def recorded_rollout(self) -> dict[str, Any]:
        """The rollout as its last write leaves it, which follows the verdict: its revision has the result."""
        wait_for("the result in the revision", lambda: self.status().get("rollout", {}).get("recorded"))
        return dict(self.status()["rollout"])

    def service(self, service: str) -> dict[str, Any]:
        """The service's part of the status."""
        return self.service_of("mill", service)

    def service_of(self, name: str, service: str) -> dict[str, Any]:
        """The service's part of the status of that MillDeployment."""
        return next((each for each in self.status(name).get("services", ()) if each["name"] == service), {})

    def condition(self, kind: str, name: str = "mill") -> dict[str, Any]:
        return next((each for each in self.status(name).get("conditions", ()) if each["type"] == kind), {})


@dataclass
class Polling:
    """A client that keeps asking an address, each time over a new connection."""

    url: str
    answers: int = 0
    failures: list[str] = field(default_factory=list)


@contextlib.contextmanager
def polling(url: str, **headers: str) -> Iterator[Polling]:
    """Ask all the time, until the block ends."""
    import threading

    polled, stop = Polling(url), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answer = httpx.get(url, headers=headers, timeout=5)
                if answer.status_code == 200:
                    polled.answers += 1
                else:
                    polled.failures.append(str(answer.status_code))
            except httpx.HTTPError as error:
                polled.failures.append(repr(error))
            stop.wait(0.05)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield polled
    finally:
        stop.set()
        thread.join(timeout=10)


REUSE = "MILL_E2E_REUSE"
"""Set to use the operator and the gateway that run already (`make start`), whatever their code is."""


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster, with the images that tests use, and operator and gateway running against it.

    Workers of `pytest -n` share them: the first one prepares them, and the main process stops them.
    """
    if os.environ.get(REUSE):
        yield describe()
    elif is_worker(request.config):
        with (tmp_path_factory.getbasetemp().parent / "cluster").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not file.seek(0, os.SEEK_END):  # the position is that of before the wait
                prepare()
                file.write("prepared")
        yield describe()
    else:
        yield prepare()
        local.stop()


def prepare() -> Cluster:
    """Start the cluster unless it runs, push the images of tests, and start operator and gateway."""
    found = up()
    for tag in ("1", "2"):
        node_images.forget(images.push_sample(found.registry, tag))
    node_images.forget(images.push_standin(found.registry))
    install_crd(found)
    local.start(found)
    return found


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of several of `pytest -n`, which the main process starts."""
    return hasattr(config, "workerinput")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop operator and gateway after the last worker has ended."""
    if not is_worker(session.config) and session.config.getoption("numprocesses", None) and REUSE not in os.environ:
        local.stop()


@contextlib.contextmanager
def new_namespace(cluster: Cluster, folder: Path, prefix: str = "e2e", gateway: str = GATEWAY) -> Iterator[Namespace]:
    """Have a namespace while the block runs."""
    made = Namespace(f"{prefix}-{secrets.token_hex(4)}", cluster, folder, gateway)
    made.run(*cluster.kubectl_command("create", "namespace", made.name))
    try:
        yield made
    finally:
        # By itself: a controller manager that has once met an API server without our kind, as it is while that server
        # starts, leaves it out from then on when it empties a namespace.
        made.kubectl("delete", "milldeployments", "--all", "--wait=false")
        made.run(*cluster.kubectl_command("delete", "namespace", made.name, "--wait=false"))


@pytest.fixture(scope="module")
def shared(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """A namespace for tests that leave nothing in it."""
    with new_namespace(cluster, tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture
def namespace(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A namespace that goes when the test is over."""
    with new_namespace(cluster, tmp_path) as made:
        request.node.stash[NAMESPACE] = made
        yield made


NAMESPACE = pytest.StashKey[Namespace]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test fails, show what explains it."""
    report = yield
    if report.when == "call" and report.failed and (space := item.stash.get(NAMESPACE, None)) is not None:
        report.sections.append(("commands", "\n".join(space.commands)))
        for title, argv in {
            "status": ("get", "milldeployments", "-o", "yaml"),
            "objects": ("get", "deployments,replicasets,pods,services", "-o", "wide"),
            "events": ("get", "events", "--sort-by=.lastTimestamp"),
        }.items():
            report.sections.append((title, space.kubectl(*argv, check=False)))
        for name in local.NAMES:
            lines = local.log_file(name).read_text(errors="replace").splitlines()
            report.sections.append((f"log of the {name}", "\n".join(lines[-60:])))
    return report
