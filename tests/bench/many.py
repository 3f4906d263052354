"""Many MillDeployments at once, and the same Deployments and Services applied bare."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from hack.cluster import Cluster
from hack.progress import say
from mill_kube.client import KubeClient
from mill_kube.resources import DEPLOYMENTS, MILL_DEPLOYMENTS, PODS, SERVICES
from tests.bench import bare, figures, process
from tests.bench.requests import Request, Requests, applies, counted_operator, status_writes
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

NAMESPACES = 10
"""Among which the MillDeployments are spread: controllers look through all ReplicaSets of a namespace."""
LIMIT_SECONDS = 900.0
SAMPLE = "sample-deployment"
SAMPLE_SERVICE = "sample-service"


@dataclass(frozen=True)
class Settled:
    """How long one side took, and what it cost."""

    pods: float
    """Seconds from the first write until the last pod was Ready."""
    verdicts: float | None
    """Seconds until the last MillDeployment had its verdict."""
    cpu: dict[str, float]
    """Seconds of processor time, by process."""


@dataclass(frozen=True)
class Operator:
    """What the operator took for it."""

    peak_mib: float
    requests: list[Request]


@dataclass(frozen=True)
class Size:
    """How much is deployed."""

    deployments: int
    services: int

    @property
    def pods(self) -> int:
        return self.deployments * self.services

    def names(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each MillDeployment's name and its services'."""
        for number in range(self.deployments):
            yield f"shop-{number}", [f"shop-{number}-{letter}" for letter in range(self.services)]


async def sample(client: KubeClient, cluster: Cluster) -> list[dict[str, Any]]:
    """Have the operator make the children of one service; return what it applied."""
    with fake_namespaces(cluster, 1, "sample") as [namespace], counted_operator(cluster):
        await create(client, namespace, mill_deployment(SAMPLE, [service(SAMPLE_SERVICE)]))

        async def finished() -> bool:
            return is_finished(await client.get(MILL_DEPLOYMENTS, namespace, SAMPLE))

        await until(finished, "the verdict of the sample")
        bodies = [await client.get(each, namespace, SAMPLE_SERVICE) for each in (DEPLOYMENTS, SERVICES)]
    return [bare.applied(each) for each in bodies]


async def bare_side(client: KubeClient, cluster: Cluster, size: Size, templates: list[dict[str, Any]]) -> Settled:
    """Apply the children of all by ourselves."""

    async def apply(namespace: str, parent: str, name: str) -> None:
        for resource, template in zip((DEPLOYMENTS, SERVICES), templates, strict=True):
            body = json.loads(bare.renamed(template, {SAMPLE: parent, SAMPLE_SERVICE: name}))
            await client.apply(resource, namespace, body, manager=MANAGER)

    with fake_namespaces(cluster, NAMESPACES, "bare") as namespaces:
        calls = (
            partial(apply, namespaces[number % NAMESPACES], parent, name)
            for number, (parent, children) in enumerate(size.names())
            for name in children
        )
        before = _cpu()
        ready, started = Countdown(size.pods), time.monotonic()
        async with watching(client, PODS, None, _note_ready(ready, namespaces)):
            await in_parallel(calls)
            await ready.wait("pods", LIMIT_SECONDS)
        return Settled(ready.completed_at - started, None, _spent(before))


async def mill_side(client: KubeClient, cluster: Cluster, size: Size) -> tuple[Settled, Operator]:
    """Create all MillDeployments."""
    with fake_namespaces(cluster, NAMESPACES, "mill") as namespaces, counted_operator(cluster) as pid:
        calls = (
            partial(
                create,
                client,
                namespaces[number % NAMESPACES],
                mill_deployment(parent, [service(name) for name in children]),
            )
            for number, (parent, children) in enumerate(size.names())
        )
        before, log = _cpu(), Requests(*namespaces)
        ready, verdicts, started = Countdown(size.pods), Countdown(size.deployments), time.monotonic()

        def note(body: dict[str, Any]) -> None:
            if is_finished(body):
                verdicts.see(body["metadata"]["uid"])

        async with (
            watching(client, PODS, None, _note_ready(ready, namespaces)),
            watching(client, MILL_DEPLOYMENTS, None, note),
        ):
            await in_parallel(calls)
            await ready.wait("pods", LIMIT_SECONDS)
            await verdicts.wait("verdicts", LIMIT_SECONDS)
        settled = Settled(ready.completed_at - started, verdicts.completed_at - started, _spent(before))
        return settled, Operator(process.peak_mib(pid), log.take())


def _note_ready(ready: Countdown, namespaces: list[str]) -> Any:
    def note(pod: dict[str, Any]) -> None:
        if pod["metadata"]["namespace"] in namespaces and is_ready(pod):
            ready.see(pod["metadata"]["uid"])

    return note


def _cpu() -> dict[str, float]:
    return {name: process.cpu_seconds(pid) for name, pid in process.everybody().items()}


def _spent(before: dict[str, float]) -> dict[str, float]:
    return {name: now - before.get(name, 0.0) for name, now in _cpu().items()}


async def measure(client: KubeClient, cluster: Cluster, size: Size) -> None:
    """Measure bare, ours, and bare again, since a cluster does not stay as fast as it was; print."""
    templates = await sample(client, cluster)
    say(f"{size.pods} Deployments and Services bare, then by {size.deployments} MillDeployments, then bare again")
    first = await bare_side(client, cluster, size, templates)
    ours, operator = await mill_side(client, cluster, size)
    second = await bare_side(client, cluster, size, templates)
    title = f"{size.deployments} MillDeployments of {size.services} services, on fake nodes"
    figures.heading(title, "bare", "mill", "bare again")
    figures.row("first write → all pods Ready, seconds", first.pods, ours.pods, second.pods)
    figures.row("first write → all verdicts in status, seconds", None, ours.verdicts, None)
    mean = (first.pods + second.pods) / 2
    for name, seconds in (("all pods Ready", ours.pods), ("all verdicts", ours.verdicts or 0.0)):
        ratios = (seconds / each for each in (first.pods, mean, second.pods))
        figures.row(f"{name}: ratio to bare, to the mean of both, to bare again", *ratios, digits=2)
    for name in ours.cpu:
        figures.row(f"  CPU seconds: {name}", first.cpu.get(name), ours.cpu[name], second.cpu.get(name))
    _print_operator(operator, size)


def _print_operator(operator: Operator, size: Size) -> None:
    writes = status_writes(operator.requests)
    per_rollout = [writes[each] for each in writes]
    figures.heading("the operator in it", "")
    figures.row("peak RSS, MiB", operator.peak_mib)
    figures.row("applies per service", applies(operator.requests) / size.pods, digits=2)
    figures.row("status writes per rollout, mean", sum(per_rollout) / len(per_rollout), digits=2)
    figures.row("status writes per rollout, most", str(max(per_rollout)))
    figures.row("status writes per service, mean", sum(per_rollout) / size.pods, digits=2)
    counts = Counter((each.verb, each.resource, each.code) for each in operator.requests)
    for (verb, resource, code), count in counts.most_common():
        figures.row(f"  requests: {verb} {resource} {code}", str(count))
