"""How fast a verdict reaches the status and a client, and what we add to the kubelet's own time: `make bench-verdict`.

One namespace, a good and a broken service, deployed many times with a random pause before each (the kubelet works on a
one-second beat, with which a loop without pauses falls into step). The API server's own watches are the reference:

- status: the pod's `ErrImagePull` or readiness on a raw watch → the service's verdict in the MillDeployment's status on
  another one.
- client: the pod's `ErrImagePull` on a raw watch → the `failed` event parsed by an SSE client.
- added: request sent → both Deployments on a raw watch, plus both outcomes on a raw watch → `done` parsed.

The same pair is applied by kubectl as well, as a MillDeployment and bare, as the Deployments and Services that it
becomes, in turns. The good service alone is deployed, too: a rollout in which nothing fails succeeds when its services
have settled. The operator of this bench has a settling window of one second, so that a repetition is short.

Figures only; nothing here fails.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from hack import images
from hack.cluster import Cluster, up
from hack.commands import run
from hack.install import local_processes as local
from hack.install.crd import install_crd
from hack.progress import step
from mill_kube.client import KubeClient
from mill_kube.resources import DEPLOYMENTS, MILL_DEPLOYMENTS, PODS, SERVICES
from tests.bench import bare, figures, process
from tests.bench.requests import Request, Requests, applies, counted_operator, status_writes
from tests.bench.watching import watching
from tests.bench.workload import mill_deployment, until

IDLE_SECONDS = 30.0
GATEWAY = f"http://127.0.0.1:{local.GATEWAY_PORT}"
BOTH = ("web", "broken")
SETTLE = "1s"
"""The settling window of the operator, whose default is 10s."""


@dataclass
class Moments:
    """When things happened in one repetition, on the monotonic clock."""

    seen: dict[str, float] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def mark(self, name: str) -> None:
        """Note the first time that something happens."""
        self.seen.setdefault(name, time.monotonic())

    def between(self, first: str, *last: str) -> float:
        """Return milliseconds."""
        return 1000 * (max(self.seen[name] for name in last) - self.seen[first])

    def note_pod(self, body: dict[str, Any]) -> None:
        """Note what the kubelet says."""
        for container in body["status"].get("containerStatuses", ()):
            waiting = container["state"].get("waiting") or {}
            if container["ready"] or waiting.get("reason") == "ErrImagePull":
                self.mark(f"{container['name']} judged by the kubelet")

    def note_deployment(self, body: dict[str, Any]) -> None:
        """Note that a Deployment is there."""
        self.mark(f"{body['metadata']['name']} applied")

    def note_status(self, body: dict[str, Any]) -> None:
        """Note what the status says."""
        for service in body.get("status", {}).get("services", ()):
            if service["state"] in ("Healthy", "Failed"):
                self.mark(f"{service['name']} judged in the status")


class Bench:
    """One way of deploying after the other, in one namespace."""

    def __init__(self, client: KubeClient, cluster: Cluster, namespace: str) -> None:
        self._client = client
        self._cluster = cluster
        self._namespace = namespace
        images = {"web": f"{cluster.registry}/web:1", "broken": f"{cluster.registry}/web:missing"}
        self._blocks = {
            name: f'service "{name}" {{\n  image = "{image}"\n  port = 8080\n  cpu = 0.05\n}}\n'
            for name, image in images.items()
        }
        self._resource = mill_deployment(
            "mill",
            [{"name": name, "image": image, "port": 8080, "cpu": "50m"} for name, image in images.items()],
        )

    async def by_gateway(self, *services: str) -> Moments:
        """Deploy services as `mill deploy` does."""
        mill_file = "".join(self._blocks[name] for name in services)
        async with self._watched() as moments, httpx.AsyncClient(timeout=60) as http:
            moments.mark("sent")
            address = f"{GATEWAY}/v1/deploy?namespace={self._namespace}"
            async with aconnect_sse(http, "POST", address, content=mill_file) as stream:
                async for event in stream.aiter_sse():
                    moments.mark(event.event)
                    if event.event == "progress":
                        moments.mark(json.loads(event.data)["phase"])
            await self._judged(moments, services, "in the status")  # our watch of it may be the slower one
        return moments

    async def by_kubectl(self) -> Moments:
        """Apply the MillDeployment."""
        async with self._watched() as moments:
            await self._apply(moments, self._resource)
            await self._judged(moments, BOTH, "in the status")
        return moments

    async def bare(self, objects: dict[str, Any]) -> Moments:
        """Apply the Deployments and Services themselves."""
        async with self._watched() as moments:
            await self._apply(moments, objects)
            await self._judged(moments, BOTH, "by the kubelet")
        return moments

    async def children(self) -> dict[str, Any]:
        """Return what the operator has applied, as a list of objects that are nobody's."""
        kinds = (DEPLOYMENTS, SERVICES)
        found = [await self._client.get(each, self._namespace, name) for each in kinds for name in BOTH]
        items = [json.loads(bare.renamed(bare.applied(each), {})) for each in found]
        return {"apiVersion": "v1", "kind": "List", "items": items}

    async def clear(self) -> None:
        """Delete everything, and wait until the pods are gone."""
        for resource in (MILL_DEPLOYMENTS, DEPLOYMENTS, SERVICES):
            for each in (await self._client.list(resource, self._namespace))["items"]:
                if not each["metadata"].get("ownerReferences"):
                    uid = each["metadata"]["uid"]
                    await self._client.delete(resource, self._namespace, each["metadata"]["name"], uid=uid)

        async def gone() -> bool:
            return not any(
                [(await self._client.list(each, self._namespace))["items"] for each in (DEPLOYMENTS, SERVICES, PODS)]
            )

        await until(gone, "the objects of the last repetition to go")

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[Moments]:
        moments, client, namespace = Moments(), self._client, self._namespace
        async with (
            watching(client, PODS, namespace, moments.note_pod),
            watching(client, DEPLOYMENTS, namespace, moments.note_deployment),
            watching(client, MILL_DEPLOYMENTS, namespace, moments.note_status),
        ):
            yield moments

    async def _apply(self, moments: Moments, body: dict[str, Any]) -> None:
        command = self._cluster.kubectl_command("--namespace", self._namespace, "apply", "-f", "-")
        moments.mark("sent")
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        await process.communicate(json.dumps(body).encode())

    @staticmethod
    async def _judged(moments: Moments, services: Sequence[str], where: str) -> None:
        async def judged() -> bool:
            return all(f"{name} judged {where}" in moments.seen for name in services)

        await until(judged, "all outcomes")


async def measure(cluster: Cluster, repetitions: int, *, counted: bool) -> None:
    """Measure and print."""
    namespace = f"bench-{secrets.token_hex(3)}"
    run(*cluster.kubectl_command("create", "namespace", namespace))
    os.environ.update(cluster.environment())
    log = Requests(namespace) if counted else None
    by_gateway: list[Moments] = []
    by_kubectl: list[Moments] = []
    by_hand: list[Moments] = []
    good: list[Moments] = []
    try:
        async with await KubeClient.connect(cluster.context) as client:
            bench = Bench(client, cluster, namespace)
            await bench.by_gateway(*BOTH)  # the first one warms everything up
            objects = await bench.children()
            await bench.clear()
            if log is not None:
                log.take()
            with step(f"deploying {repetitions} times by the gateway, and half as often each way by kubectl"):
                for number in range(repetitions):
                    await asyncio.sleep(random.random())
                    by_gateway.append(await bench.by_gateway(*BOTH))
                    await bench.clear()
                    if log is not None:
                        by_gateway[-1].requests = log.take()
                    await asyncio.sleep(random.random())
                    if number % 2:
                        by_kubectl.append(await bench.by_kubectl())
                    else:
                        by_hand.append(await bench.bare(objects))
                    await bench.clear()
                    if number % 2:
                        await asyncio.sleep(random.random())
                        good.append(await bench.by_gateway("web"))
                        await bench.clear()
                    if log is not None:
                        log.take()
    finally:
        run(*cluster.kubectl_command("delete", "namespace", namespace, "--wait=false"))
    _print_times(by_gateway, by_kubectl, by_hand)
    _print_good(good)
    if log is not None:
        _print_requests([each.requests for each in by_gateway])


def _print_times(runs: list[Moments], by_kubectl: list[Moments], by_hand: list[Moments]) -> None:
    kubelet = [f"{name} judged by the kubelet" for name in BOTH]
    figures.heading(f"{len(runs)} jittered runs, milliseconds", "median", "p95", "p99", "max")

    def row(name: str, found: list[float]) -> None:
        figures.row(name, *figures.spread(found))

    for title, names in (("both services", BOTH), ("broken", ["broken"]), ("web", ["web"])):
        row(
            f"pod status in the API → verdict in the status: {title}",
            [
                each.between(f"{name} judged by the kubelet", f"{name} judged in the status")
                for each in runs + by_kubectl
                for name in names
            ],
        )
    before = [each.between("sent", "web applied", "broken applied") for each in runs]
    after = [max(0.0, (each.seen["done"] - max(each.seen[name] for name in kubelet)) * 1000) for each in runs]
    row("ErrImagePull in the API → failed at the client", [each.between(kubelet[1], "failed") for each in runs])
    row("added, before: request sent → children applied", before)
    row("added, after: both outcomes in the API → done", after)
    row("added, in sum", [sum(pair) for pair in zip(before, after, strict=True)])
    row("request sent → done", [each.between("sent", "done") for each in runs])
    row("kubelet's share: children applied → both outcomes", [each.between("web applied", *kubelet) for each in runs])
    status = [f"{name} judged in the status" for name in BOTH]
    row("kubectl apply MillDeployment → verdicts", [each.between("sent", *status) for each in by_kubectl])
    row("kubectl apply the same bare → outcomes", [each.between("sent", *kubelet) for each in by_hand])


def _print_good(runs: list[Moments]) -> None:
    """Print how soon a rollout in which nothing fails is healthy, and has succeeded."""
    columns = ("median", "p95", "p99", "max")
    figures.heading(f"{len(runs)} rollouts of web alone, settling window of {SETTLE}, milliseconds", *columns)
    for name, first, last in (
        ("request sent → healthy at the client", "sent", "healthy"),
        ("healthy → done (deployed) at the client", "healthy", "done"),
        ("request sent → done (deployed)", "sent", "done"),
    ):
        figures.row(name, *figures.spread([each.between(first, last) for each in runs]))


def _print_requests(runs: list[list[Request]]) -> None:
    figures.heading("the operator's requests in a rollout of two services", "mean", "most")

    def row(name: str, found: list[float]) -> None:
        figures.row(name, sum(found) / len(found), max(found), digits=2)

    row("applies per service", [applies(each) / len(BOTH) for each in runs])
    row("status writes per rollout", [sum(status_writes(each).values()) for each in runs])
    row("status writes per service", [sum(status_writes(each).values()) / len(BOTH) for each in runs])
    counts = [Counter((each.verb, each.resource, each.code) for each in requests) for requests in runs]
    for verb, resource, code in sorted(set().union(*counts)):
        row(f"  {verb} {resource} {code}", [each[verb, resource, code] for each in counts])


def idle() -> None:
    """Measure the processes while nothing happens, and print."""
    figures.heading(f"idle for {IDLE_SECONDS:.0f} s", "CPU %", "RSS MiB")
    pids = {name: pid for name in local.NAMES if (pid := local.running(name)) is not None}
    start = {name: process.cpu_seconds(pid) for name, pid in pids.items()}
    time.sleep(IDLE_SECONDS)
    for name, pid in pids.items():
        percent = 100 * (process.cpu_seconds(pid) - start[name]) / IDLE_SECONDS
        figures.row(name, f"{percent:.2f}", process.resident_mib(pid))


@contextlib.contextmanager
def running(cluster: Cluster) -> Iterator[bool]:
    """Run operator and gateway; tell whether the operator's requests are counted."""
    with contextlib.ExitStack() as stack:
        stack.callback(local.stop)
        if cluster.kind_of != "embedded":
            local.start(cluster)
            yield False
            return
        stack.enter_context(counted_operator(cluster))
        local.start(cluster, "gateway")
        yield True


def main() -> None:
    """Set up, measure, leave nothing behind but the cluster."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.verdict")
    parser.add_argument("--repetitions", type=int, default=40, help="how often each way of deploying is measured")
    options = parser.parse_args()
    os.environ["MILL_SETTLE"] = SETTLE
    cluster = up()
    images.push_sample(cluster.registry, "1")
    install_crd(cluster)
    with running(cluster) as counted:
        asyncio.run(measure(cluster, options.repetitions, counted=counted))
        idle()


if __name__ == "__main__":
    main()
