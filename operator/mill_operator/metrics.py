"""The operator's Prometheus metrics. Each is listed in docs/operations.md, and no label names a user's object."""

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from mill_api.service_status import Phase
from mill_kube.reflector import Reflector
from mill_operator.core.rollout.status_change import StatusChange
from mill_process.metrics import FAST, RequestMetrics, WatchMetrics

ROLLOUT_RESULTS: Final = ("succeeded", "failed", "superseded", "refused")
INTERNAL_ERROR_PARTS: Final = ("pass", "service", "task", "telling")
RECONCILE_RESULTS: Final = ("success", "api_error", "error")
VERDICTS: Final = frozenset({Phase.HEALTHY, Phase.FAILED})


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Info("mill_operator_build", "Build information.", registry=self.registry)
        build.info({"version": version("mill-kubernetes")})
        self.leader = Gauge(
            "mill_operator_leader", "1 if this replica is the leader, 0 if it is not.", registry=self.registry
        )
        self.rollouts = Counter(
            "mill_operator_rollouts",
            "Total number of finished rollouts, by result.",
            ["result"],
            registry=self.registry,
        )
        self.verdict_latency = Histogram(
            "mill_operator_verdict_latency_seconds",
            "Seconds from receiving the evidence to the verdict in the status.",
            buckets=FAST,
            registry=self.registry,
        )
        self.reconciles = Counter(
            "mill_operator_reconciles",
            "Total number of reconciliations, by result. api_error: the API server did not answer or refused;"
            " error: an internal error.",
            ["result"],
            registry=self.registry,
        )
        self.internal_errors = Counter(
            "mill_operator_faults",
            "Total number of internal errors, by the part that they concern: a whole reconciliation (pass), one service"
            " or task; telling: the internal error could not be reported.",
            ["part"],
            registry=self.registry,
        )
        self.reconcile_duration = Histogram(
            "mill_operator_reconcile_duration_seconds",
            "Seconds that a reconciliation takes, writes included.",
            buckets=FAST,
            registry=self.registry,
        )
        self._queue_depth = Gauge(
            "mill_operator_queue_depth", "Number of MillDeployments in the work queue.", registry=self.registry
        )
        self.queue_wait = Histogram(
            "mill_operator_queue_wait_seconds",
            "Seconds that a MillDeployment waits in the work queue.",
            buckets=FAST,
            registry=self.registry,
        )
        self.retries = Counter(
            "mill_operator_retries",
            "Total number of reconciliations that were retried after a failure.",
            registry=self.registry,
        )
        self.rests = Counter(
            "mill_operator_rests",
            "Total number of reconciliations after which a MillDeployment had used up its CPU share.",
            registry=self.registry,
        )
        self.status_writes = Counter(
            "mill_operator_status_writes", "Total number of status writes.", registry=self.registry
        )
        self.request: Final = RequestMetrics("mill_operator", self.registry)
        """The observer of all requests to the API server."""
        for result in ROLLOUT_RESULTS:
            self.rollouts.labels(result)
        for result in RECONCILE_RESULTS:
            self.reconciles.labels(result)
        for part in INTERNAL_ERROR_PARTS:
            self.internal_errors.labels(part)

    def queue(self, depth: Callable[[], int]) -> None:
        """Export the depth of the work queue."""
        self._queue_depth.set_function(depth)

    def watches(self, reflectors: Iterable[Reflector[Any]]) -> None:
        """Export the state of watches."""
        self.registry.register(WatchMetrics("mill_operator", reflectors))

    def reconciled(self, result: str, seconds: float) -> None:
        """Count a reconciliation."""
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
