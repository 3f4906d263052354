"""What a command of `mill` takes, next to kubectl and Helm in the same run: `python -m tests.bench.cli`.

Whole processes, one after the other in turn, so that what else the machine does meets all alike. The server's time is
that of the same requests over a connection that stands already.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from hack.cluster import Cluster, up
from hack.install import local_processes as local
from hack.install.crd import install_crd
from tests.bench import client_cost
from tests.bench.figures import heading, row, spread

ROUNDS = 30
MILL = Path(sys.executable).with_name("mill")
GATEWAY = f"http://127.0.0.1:{local.GATEWAY_PORT}"
STATUS = ("/v1/status", "/v1/services", "/v1/tasks", "/v1/nodes")


def main() -> None:
    """Measure."""
    cluster = up()
    install_crd(cluster)
    if local.running("gateway") is None:
        local.start(cluster)
    commands: dict[str, list[str]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "mill --version": [str(MILL), "--version"],
        "mill --help": [str(MILL), "--help"],
        "mill status": [str(MILL), "status"],
        "mill validate examples/shop.mill": [str(MILL), "validate", "examples/shop.mill"],
        "kubectl get md": cluster.kubectl_command("get", "md"),
        "kubectl version --client": cluster.kubectl_command("version", "--client"),
    }
    times: dict[str, list[float]] = {name: [] for name in [*commands, "server"]}
    with httpx.Client(base_url=GATEWAY) as client:
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(_run(command, cluster))
            times["server"].append(_status(client))
    heading(f"{ROUNDS} runs in turn, milliseconds", "median", "p95", "p99", "max")
    for name in commands:
        row(name, *spread(times[name]))
    row("the four requests of mill status, the server's time", *spread(times["server"]))
    client_cost.measure(cluster, GATEWAY)


def _run(command: list[str], cluster: Cluster) -> float:
    environment = {**os.environ, **cluster.environment(), "MILL_ADDRESS": GATEWAY}
    started = time.monotonic()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return (time.monotonic() - started) * 1000


def _status(client: httpx.Client) -> float:
    started = time.monotonic()
    for path in STATUS:
        client.get(path).raise_for_status()
    return (time.monotonic() - started) * 1000


if __name__ == "__main__":
    main()
