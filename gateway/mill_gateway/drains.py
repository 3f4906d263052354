"""Draining: a node is cordoned, and its pods are evicted, as far as disruption budgets allow.

A drain is a task of this process and goes on without its client. Whoever asks again for the same node joins it, and
gets its events from the first. If the process ends, the node stays cordoned: asking again, at any gateway, goes on with
what is left, since every step looks at the cluster first.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any, Final

from mill_api.events import END, Event
from mill_api.key import Key
from mill_api.kube.client import ApiError, Conflict, KubeClient, KubeError, NotFound
from mill_api.kube.resources import NODES, PODS
from mill_api.status import State
from mill_gateway.core.draining import name_of, plan, unmanaged
from mill_gateway.core.seen.nodes import Node, Tenant
from mill_gateway.core.seen.pods import Pod, Program
from mill_gateway.watched import Watched
from mill_gateway.watched.nodes import Nodes

log = logging.getLogger(__name__)

TOO_MANY_REQUESTS: Final = 429
AGAIN_SECONDS: Final = 2.0
"""After what time an eviction that a budget forbids is tried again, if the API server names no other."""
MANAGER: Final = "mill-gateway"


class Drain:
    """One drain of one node."""

    def __init__(self, client: KubeClient, watched: Watched, nodes: Nodes, node: Node, seconds: float) -> None:
        self._client = client
        self._watched = watched
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
            planned = plan(self._nodes.on(self._name))
            for each in planned.kept:
                await self._tell("failed", {**name_of(each), "reason": unmanaged(each)})
            await asyncio.gather(
                *(self._move(program, pods) for program, pods in planned.services.items()),
                *(self._end(each) for each in planned.others),
            )
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

    async def _end(self, tenant: Tenant) -> None:
        """Evict a pod that has no replacement to be waited for."""
        if await self._evict(tenant):
            await self._tell("progress", {**name_of(tenant), "phase": "stopped" if tenant.ours else "evicted"})

    async def _move(self, program: Program, tenants: tuple[Tenant, ...]) -> None:
        """Evict a service's pods, and wait until others are healthy elsewhere."""
        before = {each.uid for each in self._watched.pods.of(program)}
        gone = await asyncio.gather(*(self._evict(each) for each in tenants))
        evicted = sum(gone)
        if not evicted:
            return
        await self._tell("progress", {"service": program.name, "phase": "stopped"})
        told: set[str] = set()
        with ExitStack() as waits:
            changed = waits.enter_context(self._watched.pods.waiting.changes(program))
            owners = {each.deployment for each in self._watched.pods.of(program)} or {""}
            for owner in owners:
                waits.enter_context(self._watched.deployments.waiting.changes(Key(program.namespace, owner), changed))
            while True:
                changed.clear()
                new = [each for each in self._watched.pods.of(program) if each.uid not in before and not each.leaving]
                for each in new:
                    if each.node and each.uid not in told:
                        told.add(each.uid)
                        await self._tell("progress", {"service": program.name, "phase": "scheduled", "node": each.node})
                if not self._wanted(program) or sum(each.ready for each in new) >= evicted:
                    break
                if (reason := self._verdict(program, new)) is not None:
                    await self._tell("failed", {"service": program.name, "reason": reason})
                    return
                try:
                    async with asyncio.timeout_at(self._ends):
                        await changed.wait()
                except TimeoutError:
                    reason = "its new replicas are not healthy yet"
                    await self._tell("failed", {"service": program.name, "reason": reason})
                    return
        for phase in ("healthy", "migrated"):
            await self._tell("progress", {"service": program.name, "phase": phase})

    def _wanted(self, program: Program) -> bool:
        """Tell whether the service is still asked for."""
        return any(each.has_service(program.name) for each in self._watched.deployments.in_namespace(program.namespace))

    def _verdict(self, program: Program, new: list[Pod]) -> str | None:
        """Return why new replicas will not be healthy, if the operator says so."""
        if not new:
            return None
        for deployment in self._watched.deployments.in_namespace(program.namespace):
            for service in deployment.status.services:
                if service.name == program.name and service.state is State.FAILED:
                    return service.message
        return None

    async def _evict(self, tenant: Tenant) -> bool:
        """Evict a pod and wait until it is gone; tell whether it is. What a budget forbids is tried again."""
        waited = False
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": tenant.key.name, "namespace": tenant.key.namespace},
            "deleteOptions": {"preconditions": {"uid": tenant.uid}},
        }
        while True:
            try:
                await self._client.request("create", PODS, *tenant.key, "eviction", body=body)
                break
            except (NotFound, Conflict):
                break  # it is gone, or another one has its name
            except ApiError as error:
                if error.status != TOO_MANY_REQUESTS:
                    await self._tell("failed", {**name_of(tenant), "reason": f"cannot be evicted: {error.message}"})
                    return False
                if not waited:
                    waited = True
                    waiting = {**name_of(tenant), "phase": "waiting", "message": error.message}
                    await self._tell("progress", waiting)
                if self._clock() >= self._ends:
                    await self._tell("failed", {**name_of(tenant), "reason": f"not evicted: {error.message}"})
                    return False
                await asyncio.sleep(float(error.details.get("retryAfterSeconds") or AGAIN_SECONDS))
        return await self._gone(tenant)

    async def _gone(self, tenant: Tenant) -> bool:
        with self._nodes.waiting.changes(self._name) as changed:
            while True:
                changed.clear()
                there = self._nodes.tenants.get(tenant.key)
                if there is None or there.uid != tenant.uid:
                    return True
                try:
                    async with asyncio.timeout_at(self._ends):
                        await changed.wait()
                except TimeoutError:
                    await self._tell("failed", {**name_of(tenant), "reason": f"pod {tenant.key} does not end"})
                    return False


class Drains:
    """The drains of this process: of each node the last one."""

    def __init__(self, client: KubeClient, watched: Watched) -> None:
        self._client = client
        self._watched = watched
        self._drains: dict[str, Drain] = {}

    def begin(self, nodes: Nodes, node: Node, seconds: float) -> Drain:
        """Return the drain of a node that goes on, or begin one."""
        name = node.key.name
        running = self._drains.get(name)
        if running is None or running.task.done():
            running = self._drains[name] = Drain(self._client, self._watched, nodes, node, seconds)
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
