"""How fast a verdict reaches a client, and what we add to the kubelet's own time: `make bench-verdict`.

One namespace, a good and a broken service, deployed 20 times with a random pause before each (the kubelet works on a
one-second beat, with which a loop without pauses falls into step). The API server's own watches are the reference:

- verdict: the pod's `ErrImagePull` on a raw watch → the `failed` event parsed by an SSE client.
- added: request sent → both Deployments on a raw watch, plus both outcomes on a raw watch → `done` parsed.

Figures only; nothing here fails.
"""

import asyncio
import os
import random
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from hack import images, local
from hack.cluster import Cluster, up
from hack.commands import run
from hack.crd import install_crd
from mill_api.kube.client import KubeClient
from mill_api.kube.resources import DEPLOYMENTS, MILL_DEPLOYMENTS, PODS, Resource

REPETITIONS = 20
IDLE_SECONDS = 30.0
GATEWAY = f"http://127.0.0.1:{local.GATEWAY_PORT}"


@dataclass
class Moments:
    """When things happened in one repetition, on the monotonic clock."""

    seen: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str) -> None:
        """Note the first time that something happens."""
        self.seen.setdefault(name, time.monotonic())

    def between(self, first: str, *last: str) -> float:
        """Return milliseconds."""
        return 1000 * (max(self.seen[name] for name in last) - self.seen[first])


async def follow(
    client: KubeClient, resource: Resource, namespace: str, note: Callable[[dict[str, Any]], None], ready: asyncio.Event
) -> None:
    """Watch raw, beside the operator."""
    listed = await client.list(resource, namespace)
    ready.set()
    async for event in client.watch(resource, namespace, resource_version=listed["metadata"]["resourceVersion"]):
        if event["type"] in ("ADDED", "MODIFIED"):
            note(event["object"])


async def repetition(client: KubeClient, namespace: str, registry: str) -> Moments:
    """Deploy once, and take the times."""
    moments = Moments()

    def pod(body: dict[str, Any]) -> None:
        service = body["metadata"]["labels"].get("mill.dev/service", "")
        for container in body["status"].get("containerStatuses", ()):
            if (container["state"].get("waiting") or {}).get("reason") == "ErrImagePull":
                moments.mark(f"{service} judged by the kubelet")
            if container["ready"]:
                moments.mark(f"{service} judged by the kubelet")

    def deployment(body: dict[str, Any]) -> None:
        moments.mark(f"{body['metadata']['name']} applied")

    ready = [asyncio.Event(), asyncio.Event()]
    watches = [
        asyncio.create_task(follow(client, PODS, namespace, pod, ready[0])),
        asyncio.create_task(follow(client, DEPLOYMENTS, namespace, deployment, ready[1])),
    ]
    await asyncio.gather(*(each.wait() for each in ready))
    text = (
        f'service "web" {{\n  image = "{registry}/web:1"\n  port = 8080\n  cpu = 0.05\n}}\n'
        f'service "broken" {{\n  image = "{registry}/web:missing"\n  port = 8080\n  cpu = 0.05\n}}\n'
    )
    async with httpx.AsyncClient(timeout=60) as http:
        moments.mark("sent")
        address = f"{GATEWAY}/v1/deploy?namespace={namespace}"
        async with aconnect_sse(http, "POST", address, content=text) as stream:
            async for event in stream.aiter_sse():
                moments.mark(event.event)
    for watch in watches:
        watch.cancel()
    await asyncio.gather(*watches, return_exceptions=True)
    return moments


async def clear(client: KubeClient, namespace: str) -> None:
    """Delete the MillDeployment and wait until its pods are gone."""
    there = await client.get(MILL_DEPLOYMENTS, namespace, "mill")
    await client.delete(MILL_DEPLOYMENTS, namespace, "mill", uid=there["metadata"]["uid"])
    await until(lambda: gone(client, namespace))


async def gone(client: KubeClient, namespace: str) -> bool:
    """Tell whether nothing is left."""
    left = [(await client.list(each, namespace))["items"] for each in (DEPLOYMENTS, PODS)]
    return not any(left)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Poll, for a minute at most."""
    deadline = time.monotonic() + 60
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError("objects of the last repetition are still there after 60 s")
        await asyncio.sleep(0.1)


def row(name: str, figures: list[float]) -> str:
    """Return a line of the table; with 20 repetitions the maximum stands for the 99th percentile."""
    ordered = sorted(figures)
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    return f"{name:<58} {statistics.median(ordered):8.1f} {p95:8.1f} {ordered[-1]:8.1f}"


def process_figures(pid: int) -> tuple[float, float]:
    """Return CPU seconds so far, and resident MiB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return ticks / os.sysconf("SC_CLK_TCK"), resident / 2**20


async def measure(cluster: Cluster) -> None:
    """Measure and print."""
    namespace = f"bench-{secrets.token_hex(3)}"
    run(*cluster.kubectl_command("create", "namespace", namespace))
    os.environ.update(cluster.environment())
    runs = []
    try:
        async with await KubeClient.connect(cluster.context) as client:
            for _ in range(REPETITIONS + 1):
                await asyncio.sleep(random.random())
                runs.append(await repetition(client, namespace, cluster.registry))
                await clear(client, namespace)
    finally:
        run(*cluster.kubectl_command("delete", "namespace", namespace, "--wait=false"))
    del runs[0]  # the first one warms everything up
    both = ("web judged by the kubelet", "broken judged by the kubelet")
    before = [each.between("sent", "web applied", "broken applied") for each in runs]
    after = [max(0.0, (each.seen["done"] - max(each.seen[name] for name in both)) * 1000) for each in runs]
    print(f"{REPETITIONS} jittered runs, milliseconds {'median':>38} {'p95':>8} {'max':>8}")
    print(row("verdict: ErrImagePull in the API → failed at the client", [
        each.between("broken judged by the kubelet", "failed") for each in runs
    ]))  # fmt: skip
    print(row("added, before: request sent → children applied", before))
    print(row("added, after: both outcomes in the API → done", after))
    print(row("added, in sum", [sum(pair) for pair in zip(before, after, strict=True)]))
    print(row("request sent → done", [each.between("sent", "done") for each in runs]))
    print(row("kubelet's share: children applied → both outcomes", [
        each.between("web applied", *both) for each in runs
    ]))  # fmt: skip


def idle() -> None:
    """Measure the processes while nothing happens, and print."""
    print(f"\nidle for {IDLE_SECONDS:.0f} s {'CPU %':>40} {'RSS MiB':>8}")
    pids = {name: local.running(name) for name in local.NAMES}
    start = {name: process_figures(pid)[0] for name, pid in pids.items() if pid}
    time.sleep(IDLE_SECONDS)
    for name, pid in pids.items():
        if pid:
            cpu, resident = process_figures(pid)
            print(f"{name:<40} {100 * (cpu - start[name]) / IDLE_SECONDS:10.2f} {resident:8.1f}")


def main() -> None:
    """Set up, measure, leave nothing behind but the cluster."""
    cluster = up()
    images.push_sample(cluster.registry, "1")
    install_crd(cluster)
    local.start(cluster)
    try:
        asyncio.run(measure(cluster))
        idle()
    finally:
        local.stop()


if __name__ == "__main__":
    main()
