"""What thousands of streams cost one gateway: `python -m tests.bench.streams [--readers N]`.

A real gateway in front of the real API server; its readers are a process of their own. The bench itself writes the
events into the status of a MillDeployment, with the operator stopped, so that nothing but the way from the API server
to the readers is measured: from the moment before the status is sent to the moment at which a reader has the event.
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from hack.cluster import Cluster, up
from hack.install import local_processes as local
from hack.install.crd import install_crd
from hack.progress import step
from mill_kube.client import KubeClient
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.json import Json
from tests.bench import process
from tests.bench.figures import heading, percentile, row
from tests.e2e.gateway.process import GatewayProcess

EVENTS = 20
PAUSE_SECONDS = 0.5
VISITS = 10_000
AT_ONCE = 50
AT = "2026-01-01T00:00:00.000Z"


def status(events: int, *, done: bool = False) -> dict[str, Any]:
    """The status of a rollout of which so much has happened."""
    rollout: dict[str, Any] = {"id": "1", "startedAt": AT}
    if done:
        rollout |= {"finishedAt": AT, "success": True}
    steps = [{"seq": each, "at": AT, "phase": "scheduled", "node": "node-1"} for each in range(1, events + 1)]
    service = {"name": "web", "state": "Starting", "transitions": steps}
    return {"observedGeneration": 1, "rollout": rollout, "services": [service]}


async def report(client: KubeClient, namespace: str, body: Json) -> None:
    """Write a status, as the operator would."""
    uid = (await client.get(MILL_DEPLOYMENTS, namespace, "mill"))["metadata"]["uid"]
    await client.replace_status(MILL_DEPLOYMENTS, namespace, "mill", body, uid=uid, manager="bench")


async def fan_out(client: KubeClient, namespace: str, gateway: GatewayProcess, readers: int) -> None:
    """Measure how events reach many readers, and what these cost."""
    pid = gateway.process.pid
    path = f"/v1/deployments/mill/events?namespace={namespace}"
    before, watches = process.resident_mib(pid), _watches(gateway)
    command = [sys.executable, "-m", "tests.bench.stream_readers", str(gateway.port), path, str(readers)]
    reading = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, limit=2**24)
    assert reading.stdout is not None
    started = time.monotonic()
    assert await reading.stdout.readline() == b"connected\n"
    connecting = time.monotonic() - started
    after = process.resident_mib(pid)
    sent: dict[str, float] = {}
    cpu = process.cpu_seconds(pid)
    for number in range(1, EVENTS + 1):
        sent[str(number)] = time.monotonic()
        await report(client, namespace, status(number))
        await asyncio.sleep(PAUSE_SECONDS)
    cpu = process.cpu_seconds(pid) - cpu
    await report(client, namespace, status(EVENTS, done=True))
    told = [json.loads(line) for line in (await reading.stdout.read()).splitlines()]
    await reading.wait()
    lasts, all_times = [], []
    for each in told:
        number = each["id"].rpartition(".")[2]
        if number in sent:
            assert len(each["times"]) == readers
            times = [(moment - sent[number]) * 1000 for moment in each["times"]]
            all_times += times
            lasts.append(max(times))
    assert len(lasts) == EVENTS
    heading(f"{readers} streams, {EVENTS} events, milliseconds", "median", "p99", "max")
    row(
        "status sent → a reader has the event",
        statistics.median(all_times),
        percentile(all_times, 0.99),
        max(all_times),
    )
    row("status sent → the last reader has it", statistics.median(lasts), percentile(lasts, 0.99), max(lasts))
    row("gateway CPU per event", cpu / EVENTS * 1000)
    heading("what they cost", "")
    row("connecting all of them, seconds", connecting)
    row("resident memory before, MiB", before)
    row("per stream, KiB", (after - before) * 1024 / readers)
    row("watches of MillDeployments that were begun meanwhile", str(_watches(gateway) - watches))


async def visits(gateway: GatewayProcess, namespace: str) -> None:
    """Connect and leave ten thousand times, and look at the memory."""
    pid = gateway.process.pid
    path = f"/v1/deployments/mill/events?namespace={namespace}"

    async def visit() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async def some(count: int) -> float:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with gate:
                await visit()

        await asyncio.gather(*(one() for _ in range(count)))
        await _no_streams(gateway)
        return process.resident_mib(pid)

    heading(f"{VISITS} connects and disconnects, resident memory, MiB", "before", "2,000", "6,000", "10,000")
    row("gateway", process.resident_mib(pid), await some(2000), await some(4000), await some(4000))


async def _no_streams(gateway: GatewayProcess) -> None:
    for _ in range(600):
        if _metric(gateway, "mill_gateway_streams", kind="rollout") == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("streams stay open whose clients are gone")


def _watches(gateway: GatewayProcess) -> int:
    return int(_metric(gateway, "mill_gateway_api_requests_total", verb="watch", resource=MILL_DEPLOYMENTS.full_name))


def _metric(gateway: GatewayProcess, name: str, **labels: str) -> float:
    text = httpx.get(f"{gateway.url}/v1/metrics", timeout=60).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def measure(cluster: Cluster, readers: int, folder: Path) -> None:
    """Set up, measure, clean up."""
    namespace = f"bench-{secrets.token_hex(4)}"
    local.start(cluster)
    local.stop("operator")
    _kubectl(cluster, "create", "namespace", namespace)
    try:
        async with await KubeClient.connect(cluster.context) as client:
            body = {
                "apiVersion": MILL_DEPLOYMENTS.api_version,
                "kind": MILL_DEPLOYMENTS.kind,
                "metadata": {"name": "mill", "namespace": namespace},
                "spec": {"services": [{"name": "web", "image": "web:1"}]},
            }
            await client.create(MILL_DEPLOYMENTS, namespace, body, manager="bench")
            gateway = GatewayProcess(cluster, folder, MILL_LOG_LEVEL="WARNING")
            try:
                with step("starting a gateway"):
                    gateway.wait_until_ready()
                await report(client, namespace, status(0))
                await visits(gateway, namespace)
            finally:
                gateway.kill()
            most = str(readers + AT_ONCE)
            limits = {"MILL_MAX_STREAMS": most, "MILL_MAX_STREAMS_PER_CALLER": most}
            gateway = GatewayProcess(cluster, folder, MILL_LOG_LEVEL="WARNING", **limits)
            try:
                gateway.wait_until_ready()
                await fan_out(client, namespace, gateway, readers)
            finally:
                gateway.kill()
    finally:
        _kubectl(cluster, "delete", "milldeployments", "--all", "--namespace", namespace)
        _kubectl(cluster, "delete", "namespace", namespace, "--wait=false")
        local.start(cluster, "operator")


def _kubectl(cluster: Cluster, *argv: str) -> None:
    subprocess.run(cluster.kubectl_command(*argv), check=True, capture_output=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=2000)
    options = parser.parse_args()
    cluster = up()
    install_crd(cluster)
    os.environ.update(cluster.environment())
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(cluster, options.readers, Path(folder)))


if __name__ == "__main__":
    main()
