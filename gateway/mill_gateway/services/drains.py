"""Draining: a node is cordoned, and its pods are evicted, as far as disruption budgets allow.

A drain is a task of this process and goes on without its client. Whoever asks again for the same node joins it, and
gets its events from the first. If the process ends, the node stays cordoned: asking again, at any gateway, goes on with
what is left, since every step looks at the cluster first.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from mill_api.events import END, Event
from mill_api.status import State
from mill_gateway.core.draining import name_of, plan, unmanaged
from mill_gateway.exceptions import AccessDenied, GatewayError
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.nodes import Node, NodePod
from mill_gateway.objects.pods import Program
from mill_gateway.services.deployments import MANAGER
from mill_gateway.stores import NodeStores, Stores
from mill_kube.client import ApiError, Conflict, KubeClient, KubeError, NotFound, Unreachable
from mill_kube.resources import NODES, PODS

log = logging.getLogger(__name__)

PASSING: Final = frozenset({409, 429, 503, 504})
"""What the API server answers to an eviction that may do later: a budget forbids it, or has just been changed by
another eviction, or the server has too much to do."""
AGAIN_SECONDS: Final = 2.0
"""After what time such an eviction is tried again, if the API server names no other."""
KEPT: Final = 100
"""So many drains that are over are remembered, for clients that come back."""


Authorise = Callable[[], Awaitable[None]]
"""Asks whether whoever began a drain may still do it. Raises `AccessDenied`."""


class Drain:
    """One drain of one node."""

    def __init__(
        self, client: KubeClient, stores: Stores, nodes: NodeStores, node: Node, seconds: float, authorise: Authorise
    ) -> None:
        self._client = client
        self._authorise = authorise
        self._stores = stores
        self._nodes = nodes
        self._node = node
        self._name = node.key.name
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._ends = self._started + seconds
        self._failed = False
        self.prefix = f"{node.uid.replace('-', '')[:8]}.drain-{secrets.token_hex(4)}"
        self.events: list[Event] = []
        self.news = asyncio.Condition()
        self.task = asyncio.create_task(self._run())

    async def follow(self, after: int = 0) -> AsyncIterator[bytes]:
        """Yield the events' bytes, from the first or from the one after a position, to the last."""
        sent = after
        while sent < END:
            for event in self.events:
                if event.seq > sent:
                    sent = event.seq
                    yield event.encode()
            if sent < END:
                async with self.news:
                    while not self.events or self.events[-1].seq <= sent:
                        await self.news.wait()

    async def _tell(self, name: str, data: dict[str, Any], *, last: bool = False) -> None:
        if name == "failed":
            self._failed = True
        seq = END if last else len(self.events) + 1
        async with self.news:
            self.events.append(Event(self.prefix, seq, name, data))
            self.news.notify_all()

    async def _run(self) -> None:
        try:
            await self._cordon()
            await self._tell("progress", {"phase": "started"})
            await self._empty()
        except KubeError as error:
            await self._tell("failed", {"reason": f"the cluster refused: {error}"})
        except Exception:
            log.exception("drain of %s: unexpected error", self._name)
            await self._tell("failed", {"reason": "internal error: the gateway's log says more"})
        elapsed = round(self._clock() - self._started, 1)
        await self._tell("done", {"elapsed": elapsed, "success": not self._failed}, last=True)

    async def _cordon(self) -> None:
        if self._node.unschedulable:
            return
        body = {"metadata": {"uid": self._node.uid}, "spec": {"unschedulable": True}}
        await self._client.merge_patch(NODES, None, self._name, body, manager=MANAGER)

    async def _empty(self) -> None:
        """Move all pods away, and then those that came before the scheduler knew of the cordon."""
        seen: set[str] = set()
        for _ in range(2):
            planned = plan(each for each in self._nodes.pods_on(self._name) if each.uid not in seen)
            seen |= planned.uids
            for each in planned.kept:
                await self._tell("failed", {**name_of(each), "reason": unmanaged(each)})
            async with asyncio.TaskGroup() as parts:
                for program, pods in planned.services.items():
                    parts.create_task(self._move(program, pods))
                for each in planned.others:
                    parts.create_task(self._end(each))

    async def _end(self, tenant: NodePod) -> None:
        """Evict a pod that has no replacement to be waited for."""
        if await self._evict(tenant):
            await self._tell("progress", {**name_of(tenant), "phase": "stopped" if tenant.ours else "evicted"})

    async def _move(self, program: Program, tenants: tuple[NodePod, ...]) -> None:
        """Evict a service's pods, and wait until others are healthy elsewhere."""
        before = {each.uid for each in self._stores.pods.in_group(program)}
        async with asyncio.TaskGroup() as parts:
            evictions = [parts.create_task(self._evict(each)) for each in tenants]
        evicted = sum(each.result() for each in evictions)
        if not evicted:
            return
        await self._tell("progress", {"service": program.name, "phase": "stopped"})
        owner = self._owner(program)
        if owner is None:
            return
        told: set[str] = set()
        with (
            self._stores.pods.subscriptions.subscribe(program) as changed,
            self._stores.deployments.subscriptions.subscribe(owner.key, changed),
        ):
            while True:
                changed.clear()
                pods = [each for each in self._stores.pods.in_group(program) if not each.leaving]
                new = [each for each in pods if each.uid not in before]
                for each in new:
                    if each.node and each.uid not in told:
                        told.add(each.uid)
                        await self._tell("progress", {"service": program.name, "phase": "scheduled", "node": each.node})
                if (owner := self._owner(program)) is None:
                    return
                if sum(each.ready for each in new) >= evicted:
                    break
                reason = _verdict(owner, program) if new else None
                elsewhere = sum(each.ready and each.node != self._name for each in pods)
                if reason is None and elsewhere >= owner.replicas(program.name):
                    break  # not all come back: it has been scaled down, or others had come before
                if reason is None and not await self._woken(changed):
                    reason = "its new replicas are not healthy yet"
                if reason is not None:
                    await self._tell("failed", {"service": program.name, "reason": reason})
                    return
        for phase in ("healthy", "migrated"):
            await self._tell("progress", {"service": program.name, "phase": phase})

    def _owner(self, program: Program) -> Deployment | None:
        """Return who asks for the service; None if nobody does any more, or where this gateway does not look."""
        deployments = self._stores.deployments.in_group(program.namespace)
        return next((each for each in deployments if each.has_service(program.name)), None)

    async def _evict(self, tenant: NodePod) -> bool:
        """Evict a pod and wait until it is gone; tell whether it is. What may be granted later is tried again."""
        waited = False
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": tenant.key.name, "namespace": tenant.key.namespace},
            "deleteOptions": {"preconditions": {"uid": tenant.uid}},
        }
        while True:
            again = AGAIN_SECONDS
            refusal: ApiError | Unreachable | GatewayError
            try:
                await self._authorise()  # each time: a drain may take an hour
                await self._client.request("create", PODS, *tenant.key, "eviction", body=body)
                break
            except (ApiError, Unreachable, GatewayError) as error:
                refusal = error
            words = str(refusal)
            if isinstance(refusal, AccessDenied):
                await self._tell("failed", {**name_of(tenant), "reason": f"not evicted: {words}"})
                return False
            if isinstance(refusal, ApiError):
                if isinstance(refusal, NotFound) or refusal.namespace_goes:
                    break
                if refusal.status not in PASSING:
                    await self._tell("failed", {**name_of(tenant), "reason": f"cannot be evicted: {refusal}"})
                    return False
                again = refusal.retry_after or again
            if not self._there(tenant):
                break  # another one has its name
            if not waited and not isinstance(refusal, Conflict):
                waited = True
                await self._tell("progress", {**name_of(tenant), "phase": "waiting", "message": words})
            if (left := self._ends - self._clock()) <= 0:
                await self._tell("failed", {**name_of(tenant), "reason": f"not evicted: {words}"})
                return False
            await asyncio.sleep(min(again, left))
        return await self._gone(tenant)

    async def _gone(self, tenant: NodePod) -> bool:
        with self._nodes.pods.subscriptions.subscribe(self._name) as changed:
            while self._there(tenant):
                changed.clear()
                if not await self._woken(changed):
                    await self._tell("failed", {**name_of(tenant), "reason": f"pod {tenant.key} does not end"})
                    return False
        return True

    def _there(self, tenant: NodePod) -> bool:
        """Tell whether the pod is still on the node; it may have a successor of the same name."""
        seen = self._nodes.pods.get(tenant.key)
        return seen is not None and seen.uid == tenant.uid

    async def _woken(self, changed: asyncio.Event) -> bool:
        """Wait for a change; tell whether there was one in time."""
        try:
            async with asyncio.timeout_at(self._ends):
                await changed.wait()
        except TimeoutError:
            return False
        return True


def _verdict(owner: Deployment, program: Program) -> str | None:
    """Return why new replicas will not be healthy, if the operator says so."""
    for service in owner.status.services:
        if service.name == program.name and service.state is State.FAILED:
            return service.message
    return None


class Drains:
    """The drains of this process: of each node the last one."""

    def __init__(self, client: KubeClient, stores: Stores) -> None:
        self._client = client
        self._stores = stores
        self._drains: dict[str, Drain] = {}

    def begin(self, nodes: NodeStores, node: Node, seconds: float, authorise: Authorise) -> Drain:
        """Return the drain of a node that goes on, or begin one, which asks by `authorise` before each eviction."""
        name = node.key.name
        running = self._drains.get(name)
        if running is None or running.task.done():
            self._drains.pop(name, None)  # the new one is remembered longest
            over = [each for each, drain in self._drains.items() if drain.task.done()]
            for each in over[: max(0, len(over) - KEPT + 1)]:
                del self._drains[each]
            running = self._drains[name] = Drain(self._client, self._stores, nodes, node, seconds, authorise)
        return running

    def find(self, node: str, prefix: str) -> Drain | None:
        """Return a node's last drain if it is the one that a client has seen events of."""
        found = self._drains.get(node)
        return found if found is not None and found.prefix == prefix else None

    async def stop(self) -> None:
        """End all drains; the nodes stay as they are."""
        tasks = [each.task for each in self._drains.values()]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
