"""What Prometheus is told. Every metric is here, and in docs/operations.md; no label names a user's object."""

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)

from mill_api.status import Phase
from mill_kube.reflector import Reflector
from mill_operator.core.rollout.status_change import StatusChange
from mill_process.metrics import FAST, RequestMetrics, WatchMetrics

RESULTS: Final = ("succeeded", "failed", "superseded", "refused")
FAULTS: Final = ("pass", "service", "task", "telling")
PASSES: Final = ("success", "api_error", "error")
VERDICTS: Final = frozenset({Phase.HEALTHY, Phase.FAILED})


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
        self.internal_errors = Counter(
            "mill_operator_faults",
            "Unexpected errors of the operator itself, by what they concern: a whole pass, one service or task of it;"
            " telling: the status could not even say so.",
            ["part"],
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
        self.rests = Counter(
            "mill_operator_rests",
            "Passes after which a MillDeployment had to rest, since it had used its share of the CPU.",
            registry=self.registry,
        )
        self.status_writes = Counter("mill_operator_status_writes", "Statuses written.", registry=self.registry)
        self.request: Final = RequestMetrics("mill_operator", self.registry)
        """Told of every request to the API server."""
        for result in RESULTS:
            self.rollouts.labels(result)
        for result in PASSES:
            self.reconciles.labels(result)
        for part in FAULTS:
            self.internal_errors.labels(part)

    def queue(self, depth: Callable[[], int]) -> None:
        """Show the depth of a queue."""
        self._queue_depth.set_function(depth)

    def watches(self, reflectors: Iterable[Reflector[Any]]) -> None:
        """Show how reflectors are."""
        self.registry.register(WatchMetrics("mill_operator", reflectors))

    def reconciled(self, result: str, seconds: float) -> None:
        """Count a pass."""
        self.reconciles.labels(result).inc()
        self.reconcile_duration.observe(seconds)

    def written(self, change: StatusChange, seconds: float | None) -> None:
        """Count a status write and what it reports. `seconds` is the age of its evidence, if that is known."""
        self.status_writes.inc()
        for result in change.ended_rollouts:
            self.rollouts.labels(result).inc()
        if seconds is not None:
            for each in change.transitions:
                if each.transition.phase in VERDICTS:
                    self.verdict_latency.observe(seconds)
