"""One change of one MillDeployment, and a restart of the operator, among few settled services and among many."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from hack.cluster import Cluster
from hack.progress import step
from mill_api import names
from mill_kube.client import KubeClient
from mill_kube.resources import DEPLOYMENTS, MILL_DEPLOYMENTS, PODS
from tests.bench import figures, process
from tests.bench.requests import WRITES, Requests, counted_operator, operator_pid, start_operator
from tests.bench.watching import is_finished, is_ready, watching
from tests.bench.workload import (
    MANAGER,
    Countdown,
    create,
    fake_namespaces,
    in_parallel,
    mill_deployment,
    service,
    until,
)

PROBES, PROBE_SERVICES = ("probe-a", "probe-b"), 5
ROUNDS = 5
IDLE_SECONDS = 10.0
MASS_SERVICES = 4
MASS_NAMESPACES = 25
LIMIT_SECONDS = 900.0
LAST_WRITE_SECONDS = 1.5
"""Counts alone are written a second late; they belong to the change."""
QUIET_SHARE = 0.05
"""Of a core: an operator that takes less has taken everything up."""


@dataclass(frozen=True)
class Cost:
    """What a change cost, on average, and how long each took."""

    services: int
    resident_mib: float
    idle_percent: float
    cpu_ms: float
    """Of the operator, until everything is quiet again, without what it takes when idle."""
    requests: float
    latencies: list[float]
    """Milliseconds from the change to its verdict in the status."""
    added: list[float]
    """Milliseconds of it from the new pod's Ready in the API to the verdict."""


@dataclass(frozen=True)
class Restart:
    """What it takes to start the operator where everything is settled already."""

    ready: float
    """Seconds from its start until it has every object."""
    cpu: float
    """Seconds of processor time until everything has been looked at."""
    peak_mib: float
    writes: int


class Probe:
    """Changes one MillDeployment, and watches what becomes of it."""

    def __init__(self, client: KubeClient, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._ready: dict[str, float] = {}
        self._finished: dict[int, float] = {}
        self._told = asyncio.Event()

    def note_pod(self, pod: dict[str, Any]) -> None:
        """Note when a pod was first Ready."""
        if is_ready(pod) and pod["metadata"]["labels"][names.LABEL_DEPLOYMENT] == self._name:
            self._ready.setdefault(pod["metadata"]["uid"], time.monotonic())

    def note(self, body: dict[str, Any]) -> None:
        """Note when a generation had its verdict."""
        if body["metadata"]["name"] == self._name and is_finished(body):
            self._finished.setdefault(body["metadata"]["generation"], time.monotonic())
            self._told.set()

    async def change(self, value: str) -> tuple[float, float]:
        """Give one service another environment; return how long its verdict took, and how long after its pod."""
        path = "/spec/services/0/env/LOG_LEVEL"
        started = time.monotonic()
        operations = [{"op": "replace", "path": path, "value": value}]
        body = await self._client.json_patch(MILL_DEPLOYMENTS, self._namespace, self._name, operations, manager=MANAGER)
        generation = body["metadata"]["generation"]
        async with asyncio.timeout(60):
            while generation not in self._finished:
                self._told.clear()
                await self._told.wait()
        verdict = self._finished[generation]
        ready = max(moment for moment in self._ready.values() if moment <= verdict)
        return 1000 * (verdict - started), 1000 * (verdict - ready)


async def measure(client: KubeClient, cluster: Cluster, settled: int) -> None:
    """Measure and print."""
    few = len(PROBES) * PROBE_SERVICES
    with (
        fake_namespaces(cluster, 1, "probe") as [home],
        fake_namespaces(cluster, MASS_NAMESPACES, "mass") as namespaces,
        counted_operator(cluster),
    ):
        spaces = [home, *namespaces]
        probes = [Probe(client, home, name) for name in PROBES]
        for name in PROBES:
            services = [service(f"{name}-{each}") for each in range(PROBE_SERVICES)]
            await create(client, home, mill_deployment(name, services))
        await until(partial(_quiet, client, home), "the probes to settle")
        costs = [await _changes(client, home, probes, few)]
        restarts = [await _restart(cluster, spaces)]
        await _fill(client, namespaces, (settled - few) // MASS_SERVICES)
        costs.append(await _changes(client, home, probes, settled))
        restarts.append(await _restart(cluster, spaces))
    _print(costs, restarts)


async def _fill(client: KubeClient, namespaces: list[str], deployments: int) -> None:
    """Deploy the mass: services of no replicas, since ten thousand pods are too much for one machine's controllers."""
    verdicts, started = Countdown(deployments), time.monotonic()

    def note(body: dict[str, Any]) -> None:
        if body["metadata"]["namespace"] in namespaces and is_finished(body):
            verdicts.see(body["metadata"]["uid"])

    with step(f"deploying {deployments} MillDeployments of {MASS_SERVICES} services with 0 replicas"):
        async with watching(client, MILL_DEPLOYMENTS, None, note):
            await in_parallel(
                partial(
                    create,
                    client,
                    namespaces[number % len(namespaces)],
                    mill_deployment(
                        f"shop-{number}", [service(f"shop-{number}-{each}", 0) for each in range(MASS_SERVICES)]
                    ),
                )
                for number in range(deployments)
            )
            await verdicts.wait("verdicts", LIMIT_SECONDS)
        for namespace in namespaces:
            await until(partial(_quiet, client, namespace), "the mass to settle", LIMIT_SECONDS)
    print(f"\n{deployments} MillDeployments had their verdicts after {verdicts.completed_at - started:.0f} s")


async def _quiet(client: KubeClient, namespace: str) -> bool:
    """Tell whether every Deployment is as it should be, and every MillDeployment has its verdict."""
    deployments = (await client.list(DEPLOYMENTS, namespace))["items"]
    parents = (await client.list(MILL_DEPLOYMENTS, namespace))["items"]
    return all(map(is_finished, parents)) and all(
        each["status"].get("observedGeneration") == each["metadata"]["generation"]
        and each["spec"]["replicas"]
        == each["status"].get("replicas", 0)
        == each["status"].get("updatedReplicas", 0)
        == each["status"].get("availableReplicas", 0)
        for each in deployments
    )


async def _changes(client: KubeClient, home: str, probes: list[Probe], services: int) -> Cost:
    pid = operator_pid()
    await _taken_up(pid)
    before = process.cpu_seconds(pid)
    await asyncio.sleep(IDLE_SECONDS)
    idle = (process.cpu_seconds(pid) - before) / IDLE_SECONDS
    log, latencies, added = Requests(home), [], []
    started, before = time.monotonic(), process.cpu_seconds(pid)

    def note_pod(body: dict[str, Any]) -> None:
        for probe in probes:
            probe.note_pod(body)

    def note(body: dict[str, Any]) -> None:
        for probe in probes:
            probe.note(body)

    async with watching(client, PODS, home, note_pod), watching(client, MILL_DEPLOYMENTS, home, note):
        for number in range(ROUNDS):
            for probe in probes:
                latency, ours = await probe.change(f"{services}-{number}")
                latencies.append(latency)
                added.append(ours)
            await until(partial(_quiet, client, home), "the old pods to go")
        await asyncio.sleep(LAST_WRITE_SECONDS)
    spent = process.cpu_seconds(pid) - before - idle * (time.monotonic() - started)
    return Cost(
        services=services,
        resident_mib=process.resident_mib(pid),
        idle_percent=100 * idle,
        cpu_ms=1000 * spent / len(latencies),
        requests=len(log.take()) / len(latencies),
        latencies=latencies,
        added=added,
    )


async def _restart(cluster: Cluster, namespaces: list[str]) -> Restart:
    log, started = Requests(*namespaces), time.monotonic()
    pid = await asyncio.to_thread(start_operator, cluster)
    ready = time.monotonic() - started
    await _taken_up(pid)
    writes = [each for each in log.take() if each.verb in WRITES and each.namespace]
    return Restart(ready, process.cpu_seconds(pid), process.peak_mib(pid), len(writes))


async def _taken_up(pid: int) -> None:
    """Wait until the operator has nothing to do any more."""
    before = process.cpu_seconds(pid)

    async def idle() -> bool:
        nonlocal before
        await asyncio.sleep(1.0)
        taken, before = process.cpu_seconds(pid) - before, process.cpu_seconds(pid)
        return taken < QUIET_SHARE

    await until(idle, "the operator to be idle", LIMIT_SECONDS)


def _print(costs: list[Cost], restarts: list[Restart]) -> None:
    figures.heading("one change among so many settled services", *(f"{each.services:,}" for each in costs))
    figures.row("operator CPU per change, ms", *(each.cpu_ms for each in costs))
    figures.row("API requests per change", *(each.requests for each in costs))
    for name, share in (("median", 0.5), ("p95", 0.95)):
        figures.row(
            f"change → verdict in status, ms, {name}", *(figures.percentile(each.latencies, share) for each in costs)
        )
        figures.row(
            f"  of it: pod Ready → verdict, ms, {name}", *(figures.percentile(each.added, share) for each in costs)
        )
    figures.row("operator idle, % of a core", *(each.idle_percent for each in costs), digits=2)
    figures.row("operator RSS, MiB", *(each.resident_mib for each in costs))
    figures.row("operator restarted: start → every watch filled, seconds", *(each.ready for each in restarts))
    figures.row("  CPU until everything is looked at, seconds", *(each.cpu for each in restarts))
    figures.row("  peak RSS, MiB", *(each.peak_mib for each in restarts))
    figures.row("  writes", *(str(each.writes) for each in restarts))
