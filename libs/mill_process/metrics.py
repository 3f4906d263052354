"""What Prometheus is told of the way to the API server: the same of every component, under its own prefix."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mill_kube.calls import Call
from mill_kube.reflector import Reflector

FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Limits of histograms: a millisecond to ten seconds."""

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which nobody reads


class RequestMetrics:
    """Counts requests to the API server: a client's observer."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            f"{prefix}_api_requests",
            "Requests to the API server. code: the HTTP status, or `none` without an answer.",
            ["verb", "resource", "code"],
            registry=registry,
        )
        self.latency = Histogram(
            f"{prefix}_api_request_duration_seconds",
            "How long the API server takes to begin its answer.",
            ["verb"],
            buckets=FAST,
            registry=registry,
        )

    def __call__(self, call: Call, code: int | None, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(call.verb, call.target, code or "none").inc()
        self.latency.labels(call.verb).observe(seconds)


class WatchMetrics(Collector):
    """Asks reflectors how they are, when somebody looks.

    Several of one resource are shown together, since a series may be there only once: their restarts and what they
    leave out are added up, and the longest silence counts.
    """

    def __init__(self, prefix: str, reflectors: Iterable[Reflector[Any]]) -> None:
        self._prefix = prefix
        self._by_resource: dict[str, list[Reflector[Any]]] = {}
        for each in reflectors:
            self._by_resource.setdefault(each.resource.full_name, []).append(each)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        restarts = CounterMetricFamily(
            f"{self._prefix}_watch_restarts", "How often a watch was begun anew with a list.", labels=["resource"]
        )
        silent = GaugeMetricFamily(
            f"{self._prefix}_watch_silent_seconds", "Since when a watch has said nothing.", labels=["resource"]
        )
        unreadable = GaugeMetricFamily(
            f"{self._prefix}_watch_unreadable_objects",
            "Objects that are left out, since they cannot be read: the log names them.",
            labels=["resource"],
        )
        now = time.monotonic()
        for resource, watches in self._by_resource.items():
            restarts.add_metric([resource], sum(each.restarts for each in watches))
            silent.add_metric([resource], now - min(each.last_heard for each in watches))
            unreadable.add_metric([resource], sum(each.unreadable for each in watches))
        yield restarts
        yield silent
        yield unreadable
