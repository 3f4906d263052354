"""The control loop: watches wake keys, workers make passes, until stopped.

With an election, watches are filled while another replica leads, and workers start when it is our turn.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from mill_kube.client import KubeClient, KubeError
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
from mill_operator.reconciler import Reconciler, ReconcilerOptions
from mill_operator.work_queue import QueueClosed, WorkQueue
from mill_process.logs import about
from mill_process.supervision import end, supervised

log = logging.getLogger(__name__)

VERSION_RETRY_SECONDS = 2.0
"""After what time an API server that does not answer is asked for its version again."""
DRAIN_SECONDS = 5.0
"""How long passes may go on when we stop."""
FLUSH_SECONDS = 3.0
"""How long the statuses that wait for their time may take then."""
LEAVE_SECONDS = 3.0
"""How long letting go of the Lease may take."""


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
    """Works on keys until stopped. `give_up` is called when it cannot go on."""

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
        self._reconciler = Reconciler(
            client,
            self._caches,
            options.reconciler,
            self._clock,
            on_write=self._written,
            on_internal_error=self._on_internal_error,
        )
        self._with_internal_errors: set[Key] = set()
        """Whose pass, which is being made, has met a fault of ours that was one service's alone."""
        self._cpu_budgets: CpuBudgets[Key] = CpuBudgets(options.cpu_share)
        self._election = election
        self._worker_count = options.workers
        self._metrics = metrics
        self._give_up = give_up
        self._leads = False
        self._evidence_at: dict[Key, float] = {}
        """When what a pass works on was added; of the first of a row that fail."""
        self._workers: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._watching: list[asyncio.Task[None]] = []
        self._candidacy: asyncio.Task[None] | None = None

    @property
    def caches(self) -> Caches:
        """What is known of the cluster."""
        return self._caches

    @property
    def watches(self) -> Iterable[Reflector[Any]]:
        """Return every reflector."""
        return (*self._caches.reflectors, *([self._election.reflector] if self._election else []))

    def wake(self, key: Key) -> None:
        """Have a MillDeployment looked at. Who waits for its turn will look at all of them then."""
        if self._leads:
            self._queue.add(key)

    def put(self, body: dict[str, Any]) -> None:
        """Take a MillDeployment from a watch that is not ours, and reconcile it if ours is behind."""
        if (key := self._caches.put_mill_deployment(body)) is not None:
            self.wake(key)

    def start(self) -> None:
        """Start watching, and working as soon as everything is known and it is our turn."""
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
        """Finish what is begun, write what waits to be written, and let another replica go on."""
        self._leads = False
        self._metrics.leader.set(0)
        self._queue.close()
        await end([*self._tasks, *self._watching])
        if self._workers:
            await asyncio.wait(self._workers, timeout=DRAIN_SECONDS)
        await end(self._workers)
        with contextlib.suppress(TimeoutError):  # what was not written is made again from the cluster
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._reconciler.flush()
        if self._election and self._candidacy:
            self._election.leave()
            await asyncio.wait([self._candidacy], timeout=LEAVE_SECONDS)
            await end([self._candidacy])

    def _watch(self) -> None:
        """Fill the stores, anew if they have been filled before, and follow."""
        for each in self._caches.reflectors:
            each.synced.clear()
        self._watching = [
            self._spawn(each.run(), f"the watch of {each.resource.full_name}") for each in self._caches.reflectors
        ]

    def _spawn(self, work: Coroutine[Any, Any, None], name: str, *, may_return: bool = False) -> asyncio.Task[None]:
        """Start a task without which we cannot go on."""
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
        log.info("ready: every watch is filled")
        if self._election:
            await self._election.elected.wait()
            # Our watches may be behind what the leader before us wrote: begin from what is there now, as at a start.
            await end(self._watching)
            self._watch()
            await self._caches.synced()
        self._leads = True
        self._metrics.leader.set(1)
        for resource in self._caches.mill_deployments.all():
            self._queue.add(resource.key)
        self._workers = [
            self._spawn(self._work(), f"worker {number}", may_return=True)  # when the queue is closed
            for number in range(1, self._worker_count + 1)
        ]

    async def _refusal(self) -> str | None:
        """Say why this cluster is too old to begin on, as soon as the API server answers."""
        while True:
            try:
                return cluster_version.refusal(await self._client.server_version())
            except KubeError as error:
                log.warning("the version of the API server: %s; trying again in %.0f s", error, VERSION_RETRY_SECONDS)
                await asyncio.sleep(VERSION_RETRY_SECONDS)

    async def _work(self) -> None:
        with contextlib.suppress(QueueClosed):
            while True:
                key = await self._queue.get()
                meter = CpuMeter()
                try:
                    await metered(self._pass(key), meter)
                finally:
                    self._queue.done(key, rest=self._rest(key, meter.seconds))

    def _rest(self, key: Key, seconds: float) -> float:
        """Return how long a MillDeployment must rest after a pass that cost so many seconds of CPU."""
        rest = self._cpu_budgets.spend(key, seconds, asyncio.get_running_loop().time())
        if rest > 0:
            self._metrics.rests.inc()
            log.debug("%s: rests for %.2g s: it has used its share of the CPU", key, rest, extra=about(key))
        return rest

    async def _pass(self, key: Key) -> None:
        started, added_at = time.monotonic(), self._queue.added_at(key)
        self._metrics.queue_wait.observe(started - added_at)
        self._evidence_at.setdefault(key, added_at)
        self._with_internal_errors.discard(key)
        internal_error = None
        try:
            wait = await self._reconciler.reconcile(key)
        except KubeError as error:
            result, delay, internal_error = "api_error", self._retry(key), internal_error_in(error)
            log.warning("%s: %s; trying again in %.2g s", key, error, delay, extra=about(key))
        except Exception as error:
            result, delay, internal_error = "error", self._retry(key), internal_error_in(error)
            self._metrics.internal_errors.labels("pass").inc()
            text = "%s: unexpected error (%s); trying again in %.2g s"
            log.exception(text, key, internal_error, delay, extra=about(key))
        else:
            result = "error" if key in self._with_internal_errors else "success"
            del self._evidence_at[key]
            self._queue.forget(key)
            if wait is not None:
                self._queue.add_after(key, wait)
        if internal_error is not None:
            await self._tell(key, internal_error)
        self._metrics.reconciled(result, time.monotonic() - started)

    async def _tell(self, key: Key, internal_error: InternalError) -> None:
        """Have it told that a pass has failed by a fault of ours. No error of that ends a worker."""
        try:
            await self._reconciler.failed(key, internal_error)
        except KubeError as error:
            log.warning("%s: cannot tell of it: %s", key, error, extra=about(key))
        except Exception:
            log.exception("%s: cannot tell of it", key, extra=about(key))
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
