"""Processor time of `mill deploy` for the seed's file, next to kubectl and Helm: a part of `python -m tests.bench.cli`.

Each client has a namespace of its own, and updates the good service in each run, in turn with the others. The other
service has a tag that does not exist: `mill` and `kubectl rollout status` of the good service end by themselves, Helm
ends at its timeout. The time is that of the process and of its children, as the kernel counts it.
"""

import contextlib
import json
import os
import pty
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hack import images
from hack.cluster import Cluster
from hack.commands import run
from hack.toolchain.build import HELM
from tests.bench.figures import heading, row, spread

ROUNDS: Final = 10
HELM_SECONDS: Final = 10
MILL: Final = Path(sys.executable).with_name("mill")


@dataclass(frozen=True)
class Place:
    """Where one client deploys."""

    cluster: Cluster
    namespace: str
    folder: Path
    environment: Mapping[str, str]


def measure(cluster: Cluster, gateway: str) -> None:
    """Print the processor time of each client."""
    for tag in ("1", "2"):
        images.push_sample(cluster.registry, tag)
    clients: dict[str, Callable[[Place, str], float]] = {
        "mill deploy": _mill,
        "mill deploy, on a terminal": _mill_on_terminal,
        "kubectl apply, kubectl rollout status": _kubectl,
    }
    if HELM.built:
        clients[f"helm upgrade --install --wait --timeout {HELM_SECONDS}s"] = _helm
    times: dict[str, list[float]] = {name: [] for name in clients}
    with contextlib.ExitStack() as opened:
        places = {name: opened.enter_context(_place(cluster, gateway)) for name in clients}
        for at in range(ROUNDS):
            for name, deploy in clients.items():
                times[name].append(deploy(places[name], str(1 + at % 2)))
    heading(f"{ROUNDS} deploys of the seed's file, milliseconds of CPU", "median", "p95", "p99", "max")
    for name, found in times.items():
        row(name, *spread(found))


@contextlib.contextmanager
def _place(cluster: Cluster, gateway: str) -> Iterator[Place]:
    """Have a namespace while the block runs."""
    name = f"bench-cost-{secrets.token_hex(3)}"
    run(*cluster.kubectl_command("create", "namespace", name))
    environment = {**os.environ, **cluster.environment(), "MILL_ADDRESS": gateway, "MILL_NAMESPACE": name}
    environment |= {"HELM_NAMESPACE": name, "TERM": "xterm-256color"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Place(cluster, name, Path(folder), environment)
    finally:
        run(*cluster.kubectl_command("delete", "milldeployments", "--all", "--wait=false", "--namespace", name))
        run(*cluster.kubectl_command("delete", "namespace", name, "--wait=false"))


def _mill(place: Place, tag: str) -> float:
    return _cost([str(MILL), "deploy", str(_seed(place, tag))], place, code=1)


def _mill_on_terminal(place: Place, tag: str) -> float:
    return _cost([str(MILL), "deploy", str(_seed(place, tag))], place, code=1, is_terminal=True)


def _kubectl(place: Place, tag: str) -> float:
    file = place.folder / "seed.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects(place.cluster, tag)}))
    commands = (("apply", "-f", str(file)), ("rollout", "status", "deployment/web"))
    of_namespace = ("--namespace", place.namespace)
    return sum(_cost(place.cluster.kubectl_command(*of_namespace, *each), place, code=0) for each in commands)


def _helm(place: Place, tag: str) -> float:
    (place.folder / "templates").mkdir(exist_ok=True)
    (place.folder / "Chart.yaml").write_text("apiVersion: v2\nname: seed\nversion: 1.0.0\n")
    for at, each in enumerate(_objects(place.cluster, tag)):
        (place.folder / "templates" / f"{at}.yaml").write_text(json.dumps(each))
    options = ["--install", "--wait", "--timeout", f"{HELM_SECONDS}s"]
    return _cost([str(HELM.path), "upgrade", "seed", str(place.folder), *options], place, code=1)


def _seed(place: Place, tag: str) -> Path:
    """Write the file and return its path."""
    file = place.folder / "production.mill"
    services = (("web", tag), ("broken", "missing"))
    file.write_text(
        "\n".join(
            f'service "{name}" {{\n  image = "{place.cluster.registry}/web:{tag}"\n  port = 8080\n  cpu = 0.05\n}}\n'
            for name, tag in services
        )
    )
    return file


def _objects(cluster: Cluster, tag: str) -> list[dict[str, Any]]:
    """Return the Deployments and Services of both services."""
    out: list[dict[str, Any]] = []
    for name, its_tag in (("web", tag), ("broken", "missing")):
        labels = {"app": name}
        container = {
            "name": name,
            "image": f"{cluster.registry}/web:{its_tag}",
            "ports": [{"containerPort": 8080}],
            "resources": {"requests": {"cpu": "50m"}},
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        }
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        out.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
        ports = {"selector": labels, "ports": [{"port": 8080}]}
        out.append({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": ports})
    return out


def _cost(command: Sequence[str], place: Place, *, code: int, is_terminal: bool = False) -> float:
    """Run a command, which must end with this code, and return the milliseconds of processor time that it took."""
    with contextlib.ExitStack() as opened:
        output = opened.enter_context(_terminal()) if is_terminal else subprocess.DEVNULL
        process = subprocess.Popen(
            command, env=place.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        raise RuntimeError(f"exit code {process.returncode} instead of {code}: {' '.join(command)}")
    return (usage.ru_utime + usage.ru_stime) * 1000


@contextlib.contextmanager
def _terminal() -> Iterator[int]:
    """Yield a terminal of which everything is read that is written to it."""
    master, slave = pty.openpty()

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(master, 65536):
                pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield slave
    finally:
        os.close(slave)
        reader.join()
        os.close(master)
