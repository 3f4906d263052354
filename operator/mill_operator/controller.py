"""The control loop: watches wake keys, workers make passes, until stopped."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mill_api.key import Key
from mill_api.kube.client import KubeClient, KubeError
from mill_operator.cluster import Cluster
from mill_operator.core.objects.pods import Options
from mill_operator.queue import WorkQueue
from mill_operator.reconciler import Reconciler

log = logging.getLogger(__name__)


def steady_clock() -> Callable[[], datetime]:
    """Return a clock that starts at the wall's time and runs evenly from there, whoever sets the wall's meanwhile."""
    start, began = datetime.now(UTC), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


class Controller:
    """Works on keys until stopped."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str | None,
        options: Options,
        *,
        evidence_logs: bool = True,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._queue: WorkQueue[Key] = WorkQueue()
        self._cluster = Cluster(client, namespace, self._queue.add, evidence_logs=evidence_logs)
        self._reconciler = Reconciler(client, self._cluster, options, now or steady_clock())
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def cluster(self) -> Cluster:
        """What is known of the cluster."""
        return self._cluster

    def wake(self, key: Key) -> None:
        """Have a MillDeployment looked at."""
        self._queue.add(key)

    async def start(self, workers: int) -> None:
        """Start watching, and working as soon as everything is known."""
        self._tasks = [asyncio.create_task(each.run()) for each in self._cluster.reflectors]
        self._tasks.append(asyncio.create_task(self._queue.run_timers()))
        self._tasks += [asyncio.create_task(self._work()) for _ in range(workers)]
        self._tasks.append(asyncio.create_task(self._announce()))

    async def stop(self) -> None:
        """Stop. What was not finished is taken up from the cluster by whoever starts next."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reconciler.flush()

    async def _announce(self) -> None:
        await self._cluster.synced()
        log.info("ready: every watch is filled")

    async def _work(self) -> None:
        await self._cluster.synced()
        while True:
            key = await self._queue.get()
            try:
                wait = await self._reconciler.reconcile(key)
            except KubeError as error:
                delay = self._queue.retry(key)
                log.warning("%s: %s; trying again in %.2g s", key, error, delay)
            except Exception:
                delay = self._queue.retry(key)
                log.exception("%s: unexpected error; trying again in %.2g s", key, delay)
            else:
                self._queue.forget(key)
                if wait is not None:
                    self._queue.add_after(key, wait)
            finally:
                self._queue.done(key)
