"""The control loop: watches add keys to the work queue, workers reconcile them, until stopped.

With leader election, the caches are synced while another replica leads, and the workers start when this one is elected.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from mill_kube.client import KubeClient
from mill_kube.errors import KubeError
from mill_kube.reflector import Reflector
from mill_objects.key import Key
from mill_operator.caches import Caches
from mill_operator.clock import SteadyClock
from mill_operator.core import cluster_version
from mill_operator.core.internal_errors import InternalError
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.cpu_budget import CpuBudgets
from mill_operator.cpu_time import CpuMeter, metered
from mill_operator.internal_errors import internal_error_in
from mill_operator.leader_election import LeaderElection
from mill_operator.metrics import Metrics
from mill_operator.reconciler import Hooks, Reconciler, ReconcilerOptions
from mill_operator.update_places import UpdatePlaces
from mill_operator.work_queue import QueueClosed, WorkQueue
from mill_process.logs import about
from mill_process.supervision import end, supervised

log = logging.getLogger(__name__)

VERSION_RETRY_SECONDS = 2.0
"""Delay before the API server is asked for its version again after it did not answer."""
STOP_WORKERS_SECONDS = 5.0
"""How long a stop waits for running reconciliations."""
FLUSH_SECONDS = 3.0
"""How long a stop waits for the statuses that the throttle delays, and their Events."""
RELEASE_SECONDS = 3.0
"""How long a stop waits for the release of the Lease."""


@dataclass(frozen=True, slots=True)
class ControllerOptions:
    """Settings of the controller."""

    namespace: str | None = None
    """The only namespace to watch; None: all."""
    workers: int = 8
    """How many MillDeployments are reconciled at once."""
    cpu_share: float = 1.0
    """The part of a CPU that one MillDeployment may use in the long run."""
    evidence_logs: bool = True
    """Whether statuses may have texts that programs have written."""
    reconciler: ReconcilerOptions = field(default_factory=ReconcilerOptions)


class Controller:
    """Reconciles keys until stopped. It calls `give_up` with a reason when it cannot continue."""

    def __init__(
        self,
        client: KubeClient,
        options: ControllerOptions,
        *,
        metrics: Metrics,
        give_up: Callable[[str], None],
        election: LeaderElection | None = None,
    ) -> None:
        self._client = client
        self._clock = SteadyClock()
        self._queue: WorkQueue[Key] = WorkQueue()
        self._caches = Caches(client, options.namespace, self.wake, evidence_logs=options.evidence_logs)
        self._places = UpdatePlaces(self.wake)
        self._reconciler = Reconciler(
            client,
            self._caches,
            options.reconciler,
            self._clock,
            self._places,
            Hooks(self._written, self._on_internal_error),
        )
        self._with_internal_errors: set[Key] = set()
        """Keys whose current reconciliation had an internal error of one service or task."""
        self._cpu_budgets: CpuBudgets[Key] = CpuBudgets(options.cpu_share)
        self._election = election
        self._worker_count = options.workers
        self._metrics = metrics
        self._give_up = give_up
        self._leads = False
        self._evidence_at: dict[Key, float] = {}
        """When a key was added to the queue; after failures, when it was added before the first of them."""
        self._workers: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._watching: list[asyncio.Task[None]] = []
        self._candidacy: asyncio.Task[None] | None = None

    @property
    def caches(self) -> Caches:
        """The caches of the cluster's objects."""
        return self._caches

    @property
    def watches(self) -> Iterable[Reflector[Any]]:
        """The reflectors of all watches."""
        return (*self._caches.reflectors, *([self._election.reflector] if self._election else []))

    def wake(self, key: Key) -> None:
        """Add a MillDeployment to the queue. A replica that is not the leader adds all of them when it is elected."""
        if self._leads:
            self._queue.add(key)

    def put(self, body: dict[str, Any]) -> None:
        """Take a MillDeployment from kopf's watch, and reconcile it if our own watch is behind."""
        if (key := self._caches.put_mill_deployment(body)) is not None:
            self.wake(key)

    def start(self) -> None:
        """Start the watches; start the workers once the caches are synced and this replica leads."""
        self._metrics.queue(lambda: len(self._queue))
        self._metrics.watches(self.watches)
        self._watch()
        self._tasks = [
            self._spawn(self._queue.run_timers(), "the queue's timers"),
            self._spawn(self._lead(), "the start of the workers", may_return=True),
        ]
        if self._election:
            self._candidacy = self._spawn(self._take_part(self._election), "the election", may_return=True)

    async def stop(self) -> None:
        """Finish running reconciliations, write delayed statuses, and release the Lease for another replica."""
        self._leads = False
        self._metrics.leader.set(0)
        self._queue.close()
        await end([*self._tasks, *self._watching])
        if self._workers:
            await asyncio.wait(self._workers, timeout=STOP_WORKERS_SECONDS)
        await end(self._workers)
        with contextlib.suppress(TimeoutError):  # a status that was not written is made again from the cluster
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._reconciler.flush()
        if self._election and self._candidacy:
            self._election.leave()
            await asyncio.wait([self._candidacy], timeout=RELEASE_SECONDS)
            await end([self._candidacy])

    def _watch(self) -> None:
        """Start all watches. Each lists its objects again if its cache was synced before."""
        for each in self._caches.reflectors:
            each.synced.clear()
        self._watching = [
            self._spawn(each.run(), f"the watch of {each.resource.full_name}") for each in self._caches.reflectors
        ]

    def _spawn(self, work: Coroutine[Any, Any, None], name: str, *, may_return: bool = False) -> asyncio.Task[None]:
        """Start a background task. The process ends if the task ends unexpectedly."""
        return supervised(work, name, self._give_up, may_return=may_return)

    async def _take_part(self, election: LeaderElection) -> None:
        await election.run()
        if election.left:
            return
        self._leads = False
        self._metrics.leader.set(0)
        for task in self._workers:
            task.cancel()
        self._give_up("the lease was not renewed in time")

    async def _lead(self) -> None:
        if (refused := await self._refusal()) is not None:
            self._give_up(refused)
            return
        await self._caches.synced()
        self._clock.agree(self._client.server_ahead)
        log.info("ready: all caches are synced")
        if self._election:
            await self._election.elected.wait()
            # The watches may be behind what the previous leader wrote: list everything again, as at a start.
            await end(self._watching)
            self._watch()
            await self._caches.synced()
        self._leads = True
        self._metrics.leader.set(1)
        keys = [resource.key for resource in self._caches.mill_deployments.all()]
        self._places.expect(keys)
        for key in keys:
            self._queue.add(key)
        self._workers = [
            self._spawn(self._work(), f"worker {number}", may_return=True)  # when the queue is closed
            for number in range(1, self._worker_count + 1)
        ]

    async def _refusal(self) -> str | None:
        """Return why this cluster is too old, as soon as the API server answers; None: it is not."""
        while True:
            try:
                return cluster_version.refusal(await self._client.server_version())
            except KubeError as error:
                log.warning(
                    "cannot read the version of the API server: %s; retrying in %.0f s", error, VERSION_RETRY_SECONDS
                )
                await asyncio.sleep(VERSION_RETRY_SECONDS)

    async def _work(self) -> None:
        with contextlib.suppress(QueueClosed):
            while True:
                key = await self._queue.get()
                meter = CpuMeter()
                try:
                    await metered(self._reconcile(key), meter)
                finally:
                    self._queue.done(key, rest=self._rest(key, meter.seconds))

    def _rest(self, key: Key, seconds: float) -> float:
        """Return how long a MillDeployment must wait after a reconciliation that used `seconds` of CPU."""
        rest = self._cpu_budgets.spend(key, seconds, asyncio.get_running_loop().time())
        if rest > 0:
            self._metrics.rests.inc()
            log.debug("%s: throttled for %.2g s: CPU share used up", key, rest, extra=about(key))
        return rest

    async def _reconcile(self, key: Key) -> None:
        started, added_at = time.monotonic(), self._queue.added_at(key)
        self._metrics.queue_wait.observe(started - added_at)
        self._evidence_at.setdefault(key, added_at)
        self._with_internal_errors.discard(key)
        internal_error = None
        try:
            wait = await self._reconciler.reconcile(key)
        except KubeError as error:
            result, delay, internal_error = "api_error", self._retry(key), internal_error_in(error)
            log.warning("%s: %s; retrying in %.2g s", key, error, delay, extra=about(key))
        except Exception as error:
            result, delay, internal_error = "error", self._retry(key), internal_error_in(error)
            self._metrics.internal_errors.labels("pass").inc()
            text = "%s: unexpected error (%s); retrying in %.2g s"
            log.exception(text, key, internal_error, delay, extra=about(key))
        else:
            result = "error" if key in self._with_internal_errors else "success"
            del self._evidence_at[key]
            self._queue.forget(key)
            if wait is not None:
                self._queue.add_after(key, wait)
        if internal_error is not None:
            await self._report(key, internal_error)
        self._metrics.reconciled(result, time.monotonic() - started)

    async def _report(self, key: Key, internal_error: InternalError) -> None:
        """Report an internal error in the status. An error of the report itself does not end the worker."""
        try:
            await self._reconciler.failed(key, internal_error)
        except KubeError as error:
            log.warning("%s: cannot report the internal error: %s", key, error, extra=about(key))
        except Exception:
            log.exception("%s: cannot report the internal error", key, extra=about(key))
            self._metrics.internal_errors.labels("telling").inc()

    def _on_internal_error(self, key: Key, kind: str) -> None:
        self._with_internal_errors.add(key)
        self._metrics.internal_errors.labels(kind).inc()

    def _retry(self, key: Key) -> float:
        self._metrics.retries.inc()
        return self._queue.retry(key)

    def _written(self, key: Key, change: StatusChange) -> None:
        evidence_at = self._evidence_at.get(key)
        self._metrics.written(change, None if evidence_at is None else time.monotonic() - evidence_at)
