"""One pass over one MillDeployment.

Level-triggered: every pass starts from what is in the cluster, and the rollout's state is in the resource's status.
"""

import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from mill_api.key import Key
from mill_api.kube.client import KubeClient, KubeError
from mill_api.status import ServiceStatus
from mill_operator.children import RETRY_SECONDS, Children
from mill_operator.cluster import Cluster, Parent
from mill_operator.core.advance import advance, refuse
from mill_operator.core.desired import Desired
from mill_operator.core.facts import ChildFacts, PodFacts
from mill_operator.core.judge import Observation, judge
from mill_operator.core.plan import leaving, renewals
from mill_operator.core.rules import Problem
from mill_operator.memory import Memory
from mill_operator.publisher import Publisher


class Reconciler:
    """Makes passes. The same key must not be worked on twice at once."""

    def __init__(self, client: KubeClient, cluster: Cluster, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._now = now
        self._memory: dict[Key, Memory] = {}
        self._children = Children(client, cluster)
        self._publisher = Publisher(client)

    async def reconcile(self, key: Key) -> float | None:
        """Make one pass. Return after how many seconds to make another though nothing happens.

        Raise `KubeError` if the API server is away or refuses what it should not.
        """
        parent = self._cluster.parents.get(key)
        if parent is None or parent.terminating:
            self._memory.pop(key, None)  # the garbage collector has it now; whoever writes would fight it
            return None
        memory = self._recall(parent)
        wanted = memory.wanted_of(parent)
        wait = None
        if isinstance(wanted, str):
            self._refuse(parent, memory, wanted)
        else:
            wait = await self._step(parent, memory, wanted)
        return _soonest(wait, await self._publisher.publish(key, memory))

    async def flush(self) -> None:
        """Write every status that waits for its time."""
        for key, memory in self._memory.items():
            with contextlib.suppress(KubeError):  # a status that was not written is made again from the cluster
                await self._publisher.flush(key, memory)

    def _recall(self, parent: Parent) -> Memory:
        memory = self._memory.get(parent.key)
        if memory is None or memory.uid != parent.uid:
            memory = self._memory[parent.key] = Memory.of(parent)
        return memory

    def _refuse(self, parent: Parent, memory: Memory, reason: str) -> None:
        rollout = memory.status.rollout
        if rollout is None or rollout.id != parent.rollout_id:
            memory.status = refuse(
                memory.status, reason, generation=parent.generation, rollout_id=parent.rollout_id, now=self._now()
            )

    async def _step(self, parent: Parent, memory: Memory, wanted: Desired) -> float | None:
        key = parent.key
        begins = memory.status.rollout is None or memory.status.rollout.id != parent.rollout_id
        if begins:
            memory.writes.problems.clear()  # somebody asks again
        # What this pass brings about may be here before the pass is over: only what stands now can be stale.
        standing = {pod.uid for pod in self._cluster.pods(key)}
        await self._children.write(parent, memory.writes, wanted.children)
        pods, children = self._cluster.pods(key), self._cluster.children(key)
        now = self._now()
        observations = _observe(memory, wanted, pods, children, now)
        if begins:
            stale = [pod for pod in renewals(observations, pods) if pod.uid in standing]
            await self._children.renew(stale)
            pods = [pod for pod in pods if pod not in stale]
            observations = _observe(memory, wanted, pods, children, now, afresh=True)
        step = advance(
            memory.status,
            observations,
            generation=parent.generation,
            rollout_id=parent.rollout_id,
            present=leaving((service.name for service in wanted.services), children, pods),
            now=now,
        )
        memory.status = step.status
        return _soonest(
            None if step.wake_at is None else (step.wake_at - now) / timedelta(seconds=1),
            RETRY_SECONDS if memory.writes.problems else None,
        )


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


def _soonest(*waits: float | None) -> float | None:
    return min((wait for wait in waits if wait is not None), default=None)
