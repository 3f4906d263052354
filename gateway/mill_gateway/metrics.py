"""Prometheus metrics: those of the original that exist here, and those of the gateway itself.

No label has more values than the cluster has nodes, tasks and pods; none has a value of a request or a caller.
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
"""Tasks of runs of an image: each has a name of its own. Names of tasks that are not deployed are as many."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods with a series each. Others share one, since clients may send any number of them."""

USAGE_SECONDS: Final = 3.0
"""Timeout of the metrics server. Prometheus itself waits for ten seconds, also for the other metrics."""

ABSENT_SECONDS: Final = 60.0
"""Seconds for which a metrics server that did not answer is not asked again."""

Usage = Mapping[Key, Amounts]
"""Usage of pods, by the metrics server."""


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
        build = Info("mill_gateway_build", "Build information.", registry=self.registry)
        build.info({"version": version("mill-kubernetes")})
        self.requests = Counter(
            "mill_gateway_requests",
            "Total number of requests, by route and HTTP status.",
            ["method", "route", "code"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "mill_gateway_request_duration_seconds",
            "Time until an answer starts, in seconds.",
            ["route"],
            buckets=FAST,
            registry=self.registry,
        )
        self.refused = Counter(
            "mill_gateway_refused",
            "Total number of requests and connections that exceeded a limit.",
            ["limit"],
            registry=self.registry,
        )
        self.streams = Gauge("mill_gateway_streams", "Number of open streams.", ["kind"], registry=self.registry)
        self.request: Final = RequestMetrics("mill_gateway", self.registry)
        """Observes each request to the API server."""

    async def refresh(self, client: KubeClient, namespace: str | None) -> None:
        """Read the usage of replicas from the metrics server. One that does not answer is skipped for a minute."""
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
        """Return everything in Prometheus' format, in a thread, so that streams are not delayed."""
        return await asyncio.to_thread(generate_latest, self.registry)

    def watch(self, stores: Stores) -> None:
        """Register the metrics that are read from the stores, and those of their watches."""
        self.registry.register(_Cluster(stores, self))
        self.registry.register(WatchMetrics("mill_gateway", stores.reflectors))

    def answered(self, method: str, route: str, code: int, seconds: float) -> None:
        """Count a request when its answer starts."""
        self.requests.labels(method if method in METHODS else "other", route, code).inc()
        self.latency.labels(route).observe(seconds)

    def limit_reached(self, limit: str) -> None:
        """Count a request or a connection that exceeded a limit. `limit` has few values."""
        self.refused.labels(limit).inc()

    def run_changed(self, old: Job | None, new: Job | None) -> None:
        """Count a run that starts or ends. Runs that existed when the gateway started are not counted as started."""
        if new is None:
            return
        task = new.task if new.is_of_task and not INLINE.fullmatch(new.task) else "inline"
        if old is None and new.outcome is None:
            self.spawned.labels(task).inc()
        if old is not None and old.outcome is None and new.outcome is not None:
            begun, ended = moment(new.started_at or new.created_at), moment(new.finished_at)
            if begun is not None and ended is not None:
                self.durations.labels(task).observe(max(0.0, (ended - begun).total_seconds()))


class _Cluster(Collector):
    """The original's gauges and counters of nodes and replicas, from the watches.

    Collected in a thread while the watches run: from copies of the stores, each made in one step.
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
