"""How large Mill's image is, and how soon its containers are ready: `python -m tests.bench.images`.

From the start of a container's process, which its node's kernel knows to a hundredth of a second, to the first 200 of
`/readyz`, asked every few milliseconds from here. Local cluster only: the processes are looked up on this machine.
"""

import argparse
import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from hack.cluster import Cluster, up
from hack.commands import run
from hack.images import push_mill
from hack.images.mill import build_mill
from hack.install.crd import install_crd
from hack.install.rights import install_rights
from tests.bench.figures import heading, row, spread
from tests.bench.process import age
from tests.e2e import image_pods

WAIT_SECONDS = 60.0
PAUSE = 0.005
ASK_SECONDS = 1.0
MEGABYTE = 1_000_000


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.images", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    cluster = up()
    image = push_mill(cluster.registry)
    sizes()
    install_crd(cluster)
    install_rights(cluster)
    heading(f"container's start to /readyz, {rounds} starts, milliseconds", "median", "p95", "p99", "max")
    with namespace(cluster) as space:
        for role in image_pods.ROLES:
            times = [start(cluster, space, role, image) * 1000 for _ in range(rounds + 1)]
            row(f"mill-{role}", *spread(times[1:]), digits=0)  # the first one loads the image


def sizes() -> None:
    """Print how large the layers are."""
    heading("megabytes", "unpacked", "compressed")
    layers = {name: part.layer for name, part in build_mill().parts.items()}
    for name, layer in layers.items():
        row(name, layer.unpacked / MEGABYTE, layer.size / MEGABYTE)
    sums = (sum(layer.unpacked for layer in layers.values()), sum(layer.size for layer in layers.values()))
    row("together", *(each / MEGABYTE for each in sums))


def start(cluster: Cluster, space: str, role: str, image: str) -> float:
    """Start a pod, wait until it is ready, delete it; return how long the container took, in seconds."""
    kubectl = cluster.kubectl_command("--namespace", space)
    run(*kubectl, "apply", "-f", "-", stdin=image_pods.objects(role, space, image))
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        address = ""
        while not address:
            assert time.monotonic() < deadline, f"mill-{role} got no address"
            address = status(kubectl, role).get("podIP", "")
        # New connections only: one that waits for an address that nobody listens on yet would wait for a second.
        while not answers(f"http://{address}:{image_pods.PORTS[role]}/readyz"):
            assert time.monotonic() < deadline, run(*kubectl, "logs", f"mill-{role}")
            time.sleep(PAUSE)
        ready = time.monotonic()
        while not (container := container_id(kubectl, role)):
            assert time.monotonic() < deadline, f"the container of mill-{role} has no id"
        return age(pid_of(container)) - (time.monotonic() - ready)
    finally:
        run(*kubectl, "delete", "pod", f"mill-{role}", "--grace-period=1")


def status(kubectl: list[str], role: str) -> Any:
    """Return a pod's status."""
    return json.loads(run(*kubectl, "get", "pod", f"mill-{role}", "--output", "json"))["status"]


def container_id(kubectl: list[str], role: str) -> str:
    """Return the id of a pod's container; empty while the kubelet has not told it."""
    told = [each.get("containerID", "") for each in status(kubectl, role).get("containerStatuses", ())]
    return str(told[0]).rpartition("/")[2] if told else ""


def pid_of(container: str) -> int:
    """Return the process that a container has begun with: the one of the lowest number in its control group."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            if container in file.read_text():
                found.append(int(file.parent.name))
    return min(found)


def answers(url: str) -> bool:
    """Whether a probe succeeds."""
    try:
        return httpx.get(url, timeout=ASK_SECONDS).status_code == 200
    except httpx.HTTPError:
        return False


@contextlib.contextmanager
def namespace(cluster: Cluster) -> Iterator[str]:
    """Have a restricted namespace while the block runs."""
    name = f"bench-{secrets.token_hex(4)}"
    run(*cluster.kubectl_command("apply", "-f", "-"), stdin=image_pods.namespace(name))
    try:
        yield name
    finally:
        run(*cluster.kubectl_command("delete", "namespace", name, "--wait=false"))


if __name__ == "__main__":
    main()
