"""One MillDeployment of ever more services: what the operator writes for each."""

import time

from hack.cluster import Cluster
from mill_kube.client import KubeClient
from mill_kube.resources import MILL_DEPLOYMENTS
from tests.bench import figures, process
from tests.bench.requests import Requests, applies, counted_operator, status_writes
from tests.bench.watching import is_finished, watching
from tests.bench.workload import Countdown, create, fake_namespaces, mill_deployment, service

SIZES = (1, 10, 50, 200)


async def measure(client: KubeClient, cluster: Cluster) -> None:
    """Measure and print."""
    rows: dict[str, list[float]] = {}
    with fake_namespaces(cluster, len(SIZES), "sizes") as namespaces, counted_operator(cluster) as pid:
        for size, namespace in zip(SIZES, namespaces, strict=True):
            for name, figure in (await _rollout(client, namespace, size, pid)).items():
                rows.setdefault(name, []).append(figure)
    figures.heading("one MillDeployment of so many services", *(str(size) for size in SIZES))
    for name, cells in rows.items():
        figures.row(name, *cells, digits=2)


async def _rollout(client: KubeClient, namespace: str, size: int, pid: int) -> dict[str, float]:
    log, cpu, verdict = Requests(namespace), process.cpu_seconds(pid), Countdown(1)
    async with watching(
        client, MILL_DEPLOYMENTS, namespace, lambda body: verdict.see("done") if is_finished(body) else None
    ):
        started = time.monotonic()
        await create(client, namespace, mill_deployment("mill", [service(f"web-{each}") for each in range(size)]))
        await verdict.wait("verdict", 300)
    requests = log.take()
    writes = sum(status_writes(requests).values())
    return {
        "created → verdict, seconds": verdict.completed_at - started,
        "operator CPU per service, ms": 1000 * (process.cpu_seconds(pid) - cpu) / size,
        "applies per service": applies(requests) / size,
        "status writes per rollout": writes,
        "status writes per service": writes / size,
    }
