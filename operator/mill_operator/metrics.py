"""What Prometheus is told. Every metric is here, and in docs/operations.md; no label names a user's object."""

import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mill_api.kube.calls import Call
from mill_api.kube.reflector import Reflector
from mill_api.status import MillDeploymentStatus, Phase
from mill_operator.core.rollout.news import ended, steps

RESULTS: Final = ("succeeded", "failed", "superseded", "refused")
PASSES: Final = ("success", "api_error", "error")
VERDICTS: Final = frozenset({Phase.HEALTHY, Phase.FAILED})

FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Limits of histograms: a millisecond to ten seconds."""

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which nobody reads


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Info("mill_operator_build", "Which operator this is.", registry=self.registry)
        build.info({"version": version("mill-kubernetes")})
        self.leader = Gauge(
            "mill_operator_leader", "1 while this replica works, 0 while it waits for its turn.", registry=self.registry
        )
        self.rollouts = Counter(
            "mill_operator_rollouts", "Rollouts that have ended.", ["result"], registry=self.registry
        )
        self.verdict_latency = Histogram(
            "mill_operator_verdict_latency_seconds",
            "From the evidence, as we received it, to the verdict in the status.",
            buckets=FAST,
            registry=self.registry,
        )
        self.reconciles = Counter(
            "mill_operator_reconciles",
            "Passes over a MillDeployment. api_error: the API server was away or refused; error: a fault of ours.",
            ["result"],
            registry=self.registry,
        )
        self.reconcile_duration = Histogram(
            "mill_operator_reconcile_duration_seconds",
            "How long a pass takes, writes included.",
            buckets=FAST,
            registry=self.registry,
        )
        self._queue_depth = Gauge(
            "mill_operator_queue_depth", "MillDeployments that wait for a worker.", registry=self.registry
        )
        self.queue_wait = Histogram(
            "mill_operator_queue_wait_seconds", "How long they wait.", buckets=FAST, registry=self.registry
        )
        self.retries = Counter(
            "mill_operator_retries", "Passes that are made again because one failed.", registry=self.registry
        )
        self.status_writes = Counter("mill_operator_status_writes", "Statuses written.", registry=self.registry)
        self.api_requests = Counter(
            "mill_operator_api_requests",
            "Requests to the API server. code: the HTTP status, or `none` without an answer.",
            ["verb", "resource", "code"],
            registry=self.registry,
        )
        self.api_latency = Histogram(
            "mill_operator_api_request_duration_seconds",
            "How long the API server takes to begin its answer.",
            ["verb"],
            buckets=FAST,
            registry=self.registry,
        )
        for result in RESULTS:
            self.rollouts.labels(result)
        for result in PASSES:
            self.reconciles.labels(result)

    def queue(self, depth: Callable[[], int]) -> None:
        """Show the depth of a queue."""
        self._queue_depth.set_function(depth)

    def watches(self, reflectors: Iterable[Reflector[Any]]) -> None:
        """Show how reflectors are."""
        self.registry.register(_Watches(reflectors))

    def request(self, call: Call, code: int | None, seconds: float) -> None:
        """Count a request."""
        self.api_requests.labels(call.verb, call.target, code or "none").inc()
        self.api_latency.labels(call.verb).observe(seconds)

    def reconciled(self, result: str, seconds: float) -> None:
        """Count a pass."""
        self.reconciles.labels(result).inc()
        self.reconcile_duration.observe(seconds)

    def written(self, before: MillDeploymentStatus, after: MillDeploymentStatus, seconds: float | None) -> None:
        """Count what a status write told. `seconds` since its evidence came, if that is known."""
        self.status_writes.inc()
        for result in ended(before, after):
            self.rollouts.labels(result).inc()
        if seconds is not None:
            for _service, step in steps(before, after):
                if step.phase in VERDICTS:
                    self.verdict_latency.observe(seconds)


class _Watches(Collector):
    """Asks the reflectors when somebody looks."""

    def __init__(self, reflectors: Iterable[Reflector[Any]]) -> None:
        self._reflectors = tuple(reflectors)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        restarts = CounterMetricFamily(
            "mill_operator_watch_restarts", "How often a watch was begun anew with a list.", labels=["resource"]
        )
        silent = GaugeMetricFamily(
            "mill_operator_watch_silent_seconds", "Since when a watch has said nothing.", labels=["resource"]
        )
        now = time.monotonic()
        for each in self._reflectors:
            restarts.add_metric([each.resource.full_name], each.restarts)
            silent.add_metric([each.resource.full_name], now - each.last_heard)
        yield restarts
        yield silent
