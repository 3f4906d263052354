"""Metrics of requests and watches: the same for every component, each under its own prefix."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mill_kube.calls import Call
from mill_kube.reflector import Reflector

FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of a histogram's buckets, in seconds."""

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, of no use to us


class RequestMetrics:
    """Metrics of the requests to the API server: an `Observer` of a client."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            f"{prefix}_api_requests",
            "Total number of requests to the API server, by verb, resource and HTTP status; `none` without an answer.",
            ["verb", "resource", "code"],
            registry=registry,
        )
        self.latency = Histogram(
            f"{prefix}_api_request_duration_seconds",
            "Seconds until the API server begins its answer.",
            ["verb"],
            buckets=FAST,
            registry=registry,
        )

    def __call__(self, call: Call, code: int | None, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(call.verb, call.target, code or "none").inc()
        self.latency.labels(call.verb).observe(seconds)


class WatchMetrics(Collector):
    """Reads the state of reflectors at each scrape.

    A series may exist only once. Several reflectors of one resource therefore share one: their restarts and unreadable
    objects are added up, and the longest silence counts.
    """

    def __init__(self, prefix: str, reflectors: Iterable[Reflector[Any]]) -> None:
        self._prefix = prefix
        self._by_resource: dict[str, list[Reflector[Any]]] = {}
        for each in reflectors:
            self._by_resource.setdefault(each.resource.full_name, []).append(each)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        restarts = CounterMetricFamily(
            f"{self._prefix}_watch_restarts",
            "Total number of new lists that a watch needed, by resource.",
            labels=["resource"],
        )
        silent = GaugeMetricFamily(
            f"{self._prefix}_watch_silent_seconds",
            "Seconds since the last event or bookmark of a watch.",
            labels=["resource"],
        )
        unreadable = GaugeMetricFamily(
            f"{self._prefix}_watch_unreadable_objects",
            "Number of objects that are left out since they cannot be read; the log names them.",
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
