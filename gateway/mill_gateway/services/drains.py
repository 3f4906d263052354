"""Drains: a node is cordoned, and its pods are evicted as far as disruption budgets allow.

A drain is an asyncio task of this process and does not depend on its client. A second request for the same node joins
it, and gets its events from the first. If the process ends, the node stays cordoned: another request, at any gateway,
continues with the remaining pods, since every step reads the cluster first.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from mill_api.events import END, Event
from mill_api.names import GATEWAY_FIELD_MANAGER
from mill_api.service_status import State
from mill_gateway.core.draining import describe_unmanaged, name_of, plan_drain
from mill_gateway.exceptions.access import AccessDenied
from mill_gateway.exceptions.base import GatewayError
from mill_gateway.objects.deployments import Deployment
from mill_gateway.objects.nodes import Node, NodePod
from mill_gateway.objects.pods import Program
from mill_gateway.stores import NodeStores, Stores
from mill_gateway.stores.subscriptions import Subscriptions
from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import ApiError, Conflict, KubeError, NotFound, Unreachable
from mill_kube.resources import NODES, PODS

log = logging.getLogger(__name__)

TRANSIENT: Final = frozenset({409, 429, 503, 504})
"""Statuses of the API server's answer to an eviction that may succeed later: a disruption budget forbids it or has just
been changed by another eviction, or the server is overloaded."""
AGAIN_SECONDS: Final = 2.0
"""After how many seconds such an eviction is tried again, unless the API server says how long to wait."""
KEPT: Final = 100
"""Number of finished drains that are kept for clients that resume."""


Authorize = Callable[[], Awaitable[None]]
"""Checks that the caller who started a drain may still do it. Raises `AccessDenied`."""


class Drain:
    """One drain of one node."""

    def __init__(
        self, context: "DrainContext", nodes: NodeStores, node: Node, seconds: float, authorize: Authorize
    ) -> None:
        self._client = context.client
        self._stores = context.stores
        self._subscriptions = context.subscriptions
        self._authorize = authorize
        self._nodes = nodes
        self._node = node
        self._name = node.key.name
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._ends = self._started + seconds
        self._failed = False
        self.prefix = f"{node.uid.replace('-', '')[:8]}.drain-{secrets.token_hex(4)}"
        self.events: list[Event] = []
        self.task = asyncio.create_task(self._run())

    async def follow(self, after: int = 0) -> AsyncIterator[bytes]:
        """Yield the events' bytes, from the first or from the one after a position, to the last."""
        sent = after
        with self._subscriptions.subscribe(self.prefix) as changed:
            while sent < END:
                changed.clear()
                for event in self.events:
                    if event.seq > sent:
                        sent = event.seq
                        yield event.encode()
                if sent < END:
                    await changed.wait()

    def _add(self, name: str, data: dict[str, Any], *, last: bool = False) -> None:
        if name == "failed":
            self._failed = True
        seq = END if last else len(self.events) + 1
        self.events.append(Event(self.prefix, seq, name, data))
        self._subscriptions.notify(self.prefix)

    async def _run(self) -> None:
        try:
            await self._cordon()
            self._add("progress", {"phase": "started"})
            await self._empty()
        except KubeError as error:
            self._add("failed", {"reason": f"the cluster refused: {error}"})
        except Exception:
            log.exception("drain of %s: unexpected error", self._name)
            self._add("failed", {"reason": "internal error: the gateway's log says more"})
        elapsed = round(self._clock() - self._started, 1)
        self._add("done", {"elapsed": elapsed, "success": not self._failed}, last=True)

    async def _cordon(self) -> None:
        if self._node.unschedulable:
            return
        body = {"metadata": {"uid": self._node.uid}, "spec": {"unschedulable": True}}
        await self._client.merge_patch(NODES, None, self._name, body, manager=GATEWAY_FIELD_MANAGER)

    async def _empty(self) -> None:
        """Move all pods away, and then those that were scheduled before the scheduler observed the cordon."""
        done: set[str] = set()
        for _ in range(2):
            planned = plan_drain(each for each in self._nodes.pods_on(self._name) if each.uid not in done)
            done |= planned.uids
            for each in planned.kept:
                self._add("failed", {**name_of(each), "reason": describe_unmanaged(each)})
            async with asyncio.TaskGroup() as parts:
                for program, pods in planned.services.items():
                    parts.create_task(self._move(program, pods))
                for each in planned.others:
                    parts.create_task(self._evict_other(each))

    async def _evict_other(self, pod: NodePod) -> None:
        """Evict a pod whose replacement the drain does not wait for."""
        if await self._evict(pod):
            self._add("progress", {**name_of(pod), "phase": "stopped" if pod.ours else "evicted"})

    async def _move(self, program: Program, old_pods: tuple[NodePod, ...]) -> None:
        """Evict pods of a service, and wait until their replacements are healthy on other nodes."""
        before = {each.uid for each in self._stores.pods.in_group(program)}
        async with asyncio.TaskGroup() as parts:
            evictions = [parts.create_task(self._evict(each)) for each in old_pods]
        evicted = sum(each.result() for each in evictions)
        if not evicted:
            return
        self._add("progress", {"service": program.name, "phase": "stopped"})
        owner = self._owner(program)
        if owner is None:
            return
        reported: set[str] = set()
        with (
            self._stores.pods.subscriptions.subscribe(program) as changed,
            self._stores.deployments.subscriptions.subscribe(owner.key, changed),
        ):
            while True:
                changed.clear()
                pods = [each for each in self._stores.pods.in_group(program) if not each.terminating]
                new = [each for each in pods if each.uid not in before]
                for each in new:
                    if each.node and each.uid not in reported:
                        reported.add(each.uid)
                        self._add("progress", {"service": program.name, "phase": "scheduled", "node": each.node})
                if (owner := self._owner(program)) is None:
                    return
                if sum(each.ready for each in new) >= evicted:
                    break
                reason = _verdict(owner, program) if new else None
                elsewhere = sum(each.ready and each.node != self._name for each in pods)
                if reason is None and elsewhere >= owner.replicas(program.name):
                    break  # it was scaled down, or other replicas were added before
                if reason is None and not await self._changes(changed):
                    reason = "its new replicas are not healthy yet"
                if reason is not None:
                    self._add("failed", {"service": program.name, "reason": reason})
                    return
        for phase in ("healthy", "migrated"):
            self._add("progress", {"service": program.name, "phase": phase})

    def _owner(self, program: Program) -> Deployment | None:
        """Return the MillDeployment of a service; None if there is none any more, or the gateway does not watch it."""
        deployments = self._stores.deployments.in_group(program.namespace)
        return next((each for each in deployments if each.has_service(program.name)), None)

    async def _evict(self, pod: NodePod) -> bool:
        """Evict a pod and wait until it is gone; return whether it is. Retry an eviction that may be granted later."""
        waited = False
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.key.name, "namespace": pod.key.namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}},
        }
        while True:
            again = AGAIN_SECONDS
            refusal: ApiError | Unreachable | GatewayError
            try:
                await self._authorize()  # before each attempt: a drain may take an hour
                await self._client.request(Request("create", PODS, *pod.key, "eviction", body=body))
                break
            except (ApiError, Unreachable, GatewayError) as error:
                refusal = error
            message = str(refusal)
            if isinstance(refusal, AccessDenied):
                self._add("failed", {**name_of(pod), "reason": f"not evicted: {message}"})
                return False
            if isinstance(refusal, ApiError):
                if isinstance(refusal, NotFound) or refusal.namespace_terminating:
                    break
                if refusal.status not in TRANSIENT:
                    self._add("failed", {**name_of(pod), "reason": f"cannot be evicted: {refusal}"})
                    return False
                again = refusal.retry_after or again
            if not self._is_present(pod):
                break  # another pod has its name
            if not waited and not isinstance(refusal, Conflict):
                waited = True
                self._add("progress", {**name_of(pod), "phase": "waiting", "message": message})
            if (left := self._ends - self._clock()) <= 0:
                self._add("failed", {**name_of(pod), "reason": f"not evicted: {message}"})
                return False
            await asyncio.sleep(min(again, left))
        return await self._gone(pod)

    async def _gone(self, pod: NodePod) -> bool:
        with self._nodes.pods.subscriptions.subscribe(self._name) as changed:
            while self._is_present(pod):
                changed.clear()
                if not await self._changes(changed):
                    self._add("failed", {**name_of(pod), "reason": f"pod {pod.key} does not end"})
                    return False
        return True

    def _is_present(self, pod: NodePod) -> bool:
        """Whether the pod is still on the node; another one may have its name."""
        found = self._nodes.pods.get(pod.key)
        return found is not None and found.uid == pod.uid

    async def _changes(self, changed: asyncio.Event) -> bool:
        """Wait for a change until the drain's time ends; return whether there was one."""
        try:
            async with asyncio.timeout_at(self._ends):
                await changed.wait()
        except TimeoutError:
            return False
        return True


def _verdict(owner: Deployment, program: Program) -> str | None:
    """Return the operator's verdict of why new replicas are not healthy, if there is one."""
    for service in owner.status.services:
        if service.name == program.name and service.state is State.FAILED:
            return service.message
    return None


@dataclass(frozen=True, slots=True)
class DrainContext:
    """The parts that all drains of a process share."""

    client: KubeClient
    stores: Stores
    subscriptions: Subscriptions[str]
    """To the events of each drain, by its prefix."""


class Drains:
    """The drains of this process: the last one of each node."""

    def __init__(self, client: KubeClient, stores: Stores) -> None:
        self._context = DrainContext(client, stores, Subscriptions())
        self._drains: dict[str, Drain] = {}

    def start(self, nodes: NodeStores, node: Node, seconds: float, authorize: Authorize) -> Drain:
        """Return the running drain of a node, or start one, which calls `authorize` before each eviction."""
        name = node.key.name
        running = self._drains.get(name)
        if running is None or running.task.done():
            self._drains.pop(name, None)  # so that the new one is the last to be dropped
            over = [each for each, drain in self._drains.items() if drain.task.done()]
            for each in over[: max(0, len(over) - KEPT + 1)]:
                del self._drains[each]
            running = self._drains[name] = Drain(self._context, nodes, node, seconds, authorize)
        return running

    def find(self, node: str, prefix: str) -> Drain | None:
        """Return the last drain of a node if a client's event ids have its prefix."""
        found = self._drains.get(node)
        return found if found is not None and found.prefix == prefix else None

    async def stop(self) -> None:
        """Cancel all drains; the nodes stay as they are."""
        tasks = [each.task for each in self._drains.values()]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
