"""What Prometheus is told: the original's families as far as they exist here, and how the gateway itself is.

No label has more values than the cluster has nodes, tasks and pods: no request and no caller is named.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mill_api import names
from mill_gateway.core.capacity import free
from mill_gateway.core.usage import read_usage
from mill_gateway.objects.amounts import Amounts
from mill_gateway.objects.jobs import Job
from mill_gateway.stores import Stores
from mill_kube.client import KubeClient
from mill_kube.errors import KubeError
from mill_kube.resources import POD_METRICS
from mill_objects.fields import moment
from mill_objects.key import Key
from mill_process.metrics import FAST, RequestMetrics, WatchMetrics

RUN_SECONDS: Final = (1.0, 5.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
INLINE: Final = re.compile(r"task-[0-9a-f]{8}")
"""Names of runs that no task of a file describes: each is another one."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that have a series each. Whoever can connect may make up others, and must not fill our memory."""

USAGE_SECONDS: Final = 3.0
"""How long a metrics server may take: Prometheus itself waits for ten seconds, and wants the other figures too."""

ABSENT_SECONDS: Final = 60.0
"""How long a metrics server is not asked again that did not answer."""

Usage = Mapping[Key, Amounts]
"""What pods use, as a metrics server says."""


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.usage: Usage = {}
        self._ask_again_at = 0.0
        self.spawned = Counter("mill_tasks_spawned", "Total task spawn count", ["task"], registry=self.registry)
        self.durations = Histogram(
            "mill_tasks_duration_seconds",
            "Task execution duration histogram",
            ["task"],
            buckets=RUN_SECONDS,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        build = Info("mill_gateway_build", "Which gateway this is.", registry=self.registry)
        build.info({"version": version("mill-kubernetes")})
        self.requests = Counter(
            "mill_gateway_requests",
            "Requests by route and HTTP status.",
            ["method", "route", "code"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "mill_gateway_request_duration_seconds",
            "How long an answer takes to begin.",
            ["route"],
            buckets=FAST,
            registry=self.registry,
        )
        self.refused = Counter(
            "mill_gateway_refused",
            "Requests and connections that were one too many, too large or too slow.",
            ["limit"],
            registry=self.registry,
        )
        self.streams = Gauge("mill_gateway_streams", "Streams that are open.", ["kind"], registry=self.registry)
        self.request: Final = RequestMetrics("mill_gateway", self.registry)
        """Told of every request to the API server."""

    async def refresh(self, client: KubeClient, namespace: str | None) -> None:
        """Ask the metrics server what replicas use. One that is not there is not asked again for a minute."""
        if time.monotonic() < self._ask_again_at:
            return
        try:
            async with asyncio.timeout(USAGE_SECONDS):
                listed = await client.list(POD_METRICS, namespace, labels=names.CHILD_SELECTOR)
            self.usage = await asyncio.to_thread(read_usage, listed)
        except (KubeError, TimeoutError):
            self.usage = {}
            self._ask_again_at = time.monotonic() + ABSENT_SECONDS

    async def text(self) -> bytes:
        """Return everything in Prometheus' format, in a thread: streams go on while it is written."""
        return await asyncio.to_thread(generate_latest, self.registry)

    def watch(self, stores: Stores) -> None:
        """Show what the watches know, and how they are."""
        self.registry.register(_Cluster(stores, self))
        self.registry.register(WatchMetrics("mill_gateway", stores.reflectors))

    def answered(self, method: str, route: str, code: int, seconds: float) -> None:
        """Count a request, when its answer begins."""
        self.requests.labels(method if method in METHODS else "other", route, code).inc()
        self.latency.labels(route).observe(seconds)

    def limit_reached(self, limit: str) -> None:
        """Count a request or a connection that was refused by a limit; `limit` is one of few words of ours."""
        self.refused.labels(limit).inc()

    def run_changed(self, old: Job | None, new: Job | None) -> None:
        """Count a run that is spawned or ends, whoever spawned it. Those that were there at the start do not count."""
        if new is None:
            return
        task = "inline" if INLINE.fullmatch(new.task) else new.task
        if old is None and new.outcome is None:
            self.spawned.labels(task).inc()
        if old is not None and old.outcome is None and new.outcome is not None:
            begun, ended = moment(new.started_at or new.created_at), moment(new.finished_at)
            if begun is not None and ended is not None:
                self.durations.labels(task).observe(max(0.0, (ended - begun).total_seconds()))


class _Cluster(Collector):
    """The original's gauges and counters of nodes and replicas, from the watches.

    Read in a thread, while the watches go on: from copies of the stores, which are taken in one step.
    """

    def __init__(self, stores: Stores, metrics: Metrics) -> None:
        self._stores = stores
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, in the original's order."""
        yield from self._nodes()
        yield from self._replicas()

    def _nodes(self) -> Iterable[Metric]:
        cpu = GaugeMetricFamily("mill_node_cpu_available", "Free CPU cores per node", labels=["node"])
        memory = GaugeMetricFamily("mill_node_memory_available_bytes", "Free memory per node in bytes", labels=["node"])
        if nodes := self._stores.nodes:
            for each in nodes.all():
                available = free(each, nodes.pods_on(each.key.name))
                cpu.add_metric([each.key.name], available.cpu)
                memory.add_metric([each.key.name], available.memory)
        return cpu, memory

    def _replicas(self) -> Iterable[Metric]:
        labels = ["service", "node", "namespace", "alloc"]
        cpu = GaugeMetricFamily("mill_alloc_cpu_usage", "CPU usage per allocation in cores", labels=labels)
        memory = GaugeMetricFamily("mill_alloc_memory_bytes", "Memory usage per allocation in bytes", labels=labels)
        restarts = CounterMetricFamily("mill_alloc_restarts", "Total service restart count", labels=labels)
        used_by = self._metrics.usage
        for pod in list(self._stores.pods.reflector.all()):
            values = [pod.program.name, pod.node or "unknown", pod.key.namespace, pod.key.name]
            if (used := used_by.get(pod.key)) is not None:
                cpu.add_metric(values, used.cpu)
                memory.add_metric(values, used.memory)
            if pod.restarts:
                restarts.add_metric(values, pod.restarts)
        return cpu, memory, restarts
