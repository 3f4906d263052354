"""One pass over one MillDeployment, and the memory between passes.

Level-triggered: every pass starts from what is in the cluster; the rollout's state is in the resource's status. What
is kept in memory may be lost at any line: the status that we wrote last (our watch lags behind our own writes), and
what we know of our own writes to children.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from mill_api.key import Key
from mill_api.kube.client import Conflict, KubeClient, KubeError, NotFound
from mill_api.kube.resources import MILL_DEPLOYMENTS
from mill_api.language.rules import problems
from mill_api.spec import MillDeploymentSpec
from mill_api.status import MillDeploymentStatus, ServiceStatus
from mill_operator.children import MANAGER, RETRY_SECONDS, Children, WriteMemory
from mill_operator.cluster import Cluster, Parent
from mill_operator.core.advance import advance, refuse
from mill_operator.core.desired import Desired, Owner, desired
from mill_operator.core.facts import ChildFacts, PodFacts
from mill_operator.core.judge import Observation, judge
from mill_operator.core.pace import Change, change, pause
from mill_operator.core.plan import leaving, renewals
from mill_operator.core.rules import Problem
from mill_operator.queue import WorkQueue

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Memory:
    """What we remember of a MillDeployment between passes."""

    uid: str
    status: MillDeploymentStatus
    """The newest that we made."""
    written: MillDeploymentStatus
    """The newest that the API server has."""
    writes: WriteMemory = field(default_factory=WriteMemory)
    generation: int = -1
    """The generation that `wanted` was worked out for: a pass for each event of a pod should not do it again."""
    wanted: Desired | str = ""
    written_at: float = 0.0
    """When the last status write ended, on the monotonic clock; and how many seconds it took."""
    write_seconds: float = 0.0

    def wanted_of(self, parent: Parent) -> Desired | str:
        """Return what should exist, or what is wrong with the spec, all of it."""
        if self.generation != parent.generation:
            self.generation, self.wanted = parent.generation, _wanted(parent)
        return self.wanted


class Controller:
    """Works on keys until stopped."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._now = now
        self._queue: WorkQueue[Key] = WorkQueue()
        self._cluster = Cluster(client, namespace, self._queue.add)
        self._memory: dict[Key, Memory] = {}
        self._children = Children(client, self._cluster)
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
        for key in list(self._memory):
            with contextlib.suppress(KubeError):  # a status that was not written is made again from the cluster
                await self._flush(key)

    async def _announce(self) -> None:
        await self._cluster.synced()
        log.info("ready: every watch is filled")

    async def _work(self) -> None:
        await self._cluster.synced()
        while True:
            key = await self._queue.get()
            try:
                await self._reconcile(key)
            except KubeError as error:
                delay = self._queue.retry(key)
                log.warning("%s: %s; trying again in %.2g s", key, error, delay)
            except Exception:
                delay = self._queue.retry(key)
                log.exception("%s: unexpected error; trying again in %.2g s", key, delay)
            else:
                self._queue.forget(key)
            finally:
                self._queue.done(key)

    async def _reconcile(self, key: Key) -> None:
        parent = self._cluster.parents.get(key)
        if parent is None or parent.terminating:
            self._memory.pop(key, None)  # the garbage collector has it now; whoever writes would fight it
            return
        memory = self._recall(parent)
        wanted = memory.wanted_of(parent)
        if isinstance(wanted, str):
            await self._refuse(parent, memory, wanted)
            return
        begins = memory.status.rollout is None or memory.status.rollout.id != parent.rollout_id
        if begins:
            memory.writes.problems.clear()  # somebody asks again
        # What this pass brings about may be here before the pass is over: only what stands now can be stale.
        standing = {pod.uid for pod in self._cluster.pods(key)}
        await self._children.write(parent, memory.writes, wanted.children)
        pods, children = self._cluster.pods(key), self._cluster.children(key)
        now = self._now()
        observations = self._observe(memory, wanted, pods, children, now)
        if begins:
            stale = [pod for pod in renewals(observations, pods) if pod.uid in standing]
            await self._children.renew(stale)
            pods = [pod for pod in pods if pod not in stale]
            observations = self._observe(memory, wanted, pods, children, now, afresh=True)
        step = advance(
            memory.status,
            observations,
            generation=parent.generation,
            rollout_id=parent.rollout_id,
            present=leaving((service.name for service in wanted.services), children, pods),
            now=now,
        )
        memory.status = step.status
        if step.wake_at is not None:
            self._queue.add_after(key, (step.wake_at - now) / timedelta(seconds=1))
        if memory.writes.problems:
            self._queue.add_after(key, RETRY_SECONDS)
        await self._publish(key, memory)

    def _recall(self, parent: Parent) -> Memory:
        memory = self._memory.get(parent.key)
        if memory is None or memory.uid != parent.uid:
            status = MillDeploymentStatus.model_validate(parent.status)
            memory = self._memory[parent.key] = Memory(parent.uid, status, status)
        return memory

    async def _refuse(self, parent: Parent, memory: Memory, reason: str) -> None:
        rollout = memory.status.rollout
        if rollout is None or rollout.id != parent.rollout_id:
            memory.status = refuse(
                memory.status, reason, generation=parent.generation, rollout_id=parent.rollout_id, now=self._now()
            )
        await self._publish(parent.key, memory)

    @staticmethod
    def _observe(
        memory: Memory,
        wanted: Desired,
        pods: Iterable[PodFacts],
        children: Iterable[ChildFacts],
        now: datetime,
        *,
        afresh: bool = False,
    ) -> list[Observation]:
        """Judge every service. `afresh` forgets since when something has been wrong."""
        pods_of: dict[str, list[PodFacts]] = {}
        for pod in pods:
            pods_of.setdefault(pod.service, []).append(pod)
        deployments = {each.service: each for each in children if each.kind == "Deployment"}
        previous: dict[str, ServiceStatus] = {} if afresh else {each.name: each for each in memory.status.services}
        problem_of: dict[str | None, Problem] = {}
        for child in wanted.children:
            if (problem := memory.writes.problem(child)) is not None:
                problem_of.setdefault(child.service, problem)
        observations = []
        for service in wanted.services:
            deployment = deployments.get(service.name)
            observations.append(
                judge(
                    service,
                    pods_of.get(service.name, ()),
                    deployment_replicas=deployment.replicas if deployment else None,
                    refusal=deployment.refusal if deployment else "",
                    problem=problem_of.get(service.name),
                    previous=previous.get(service.name),
                    now=now,
                )
            )
        return observations

    async def _publish(self, key: Key, memory: Memory) -> None:
        """Write the status if it changed: verdicts at once, the rest in a little while."""
        kind = change(memory.written, memory.status)
        if kind is Change.NOTHING:
            return
        wait = memory.written_at + pause(kind, memory.write_seconds) - time.monotonic()
        if wait > 0:
            self._queue.add_after(key, wait)
            return
        await self._flush(key)

    async def _flush(self, key: Key) -> None:
        memory = self._memory[key]
        if memory.status == memory.written:
            return
        status = memory.status
        body = {"metadata": {"uid": memory.uid}, "status": _wire(status)}
        started = time.monotonic()
        try:
            await self._client.merge_status(MILL_DEPLOYMENTS, *key, body, manager=MANAGER)
        except (NotFound, Conflict):
            self._memory.pop(key, None)  # gone, or another resource has its name by now
            return
        memory.written_at = time.monotonic()
        memory.write_seconds = memory.written_at - started
        _report(key, memory.written, status)
        memory.written = status


def _wanted(parent: Parent) -> Desired | str:
    try:
        spec = MillDeploymentSpec.model_validate(parent.spec)
    except ValidationError as error:
        return "\n".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    if found := problems(spec):
        return "\n".join(map(str, found))
    return desired(Owner(parent.key, parent.uid), spec)


def _wire(status: MillDeploymentStatus) -> dict[str, Any]:
    """Return the status for a merge patch, which keeps old keys of maps: what is to go is an explicit null."""
    wire: dict[str, Any] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    rollout = status.rollout
    wire["rollout"] = rollout.model_dump(mode="json", by_alias=True) if rollout else None
    return wire


def _report(key: Key, before: MillDeploymentStatus, after: MillDeploymentStatus) -> None:
    """Log what has happened to the rollout since the last write."""
    rollout = after.rollout
    if rollout is None:
        return
    old = {service.name: len(service.transitions) for service in before.services}
    if before.rollout is None or before.rollout.id != rollout.id:
        old = {}
        log.info("%s: rollout %s begins", key, rollout.id)
    for service in after.services:
        for step in service.transitions[old.get(service.name, 0) :]:
            log.info("%s: rollout %s: %s %s %s", key, rollout.id, service.name, step.phase, step.message or "")
    if rollout.finished_at and (before.rollout is None or before.rollout.finished_at is None or not old):
        log.info("%s: rollout %s: %s", key, rollout.id, "succeeded" if rollout.success else "finished with errors")
