"""Lookups of events and nodes where a pod's status does not say enough: on demand, in parallel, with a time limit.

A result helps, and nothing depends on it: without it (no right, no such object, a slow API server) a reason lacks its
detail. Rights needed: `list` events in the namespaces of the MillDeployments, `get` and `list` nodes. An operator
without the right to `get` reports `the platform of node node-1` instead of `linux/amd64`, and does not notice a lost
node; without `list` it does not report how much the largest node has.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from mill_kube.client import KubeClient
from mill_kube.connection import Request
from mill_kube.errors import ApiError, KubeError
from mill_kube.resources import EVENTS, NODES
from mill_objects.fields import mapping, mappings, text
from mill_operator.core.observed.allocatable import LargestNode, project_allocatable
from mill_operator.core.observed.events import ObservedEvent, project_events
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.nodes import ObservedNode, project_node
from mill_operator.core.verdicts.lookup_requests import LookupRequest

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 1.0
"""How long a reconciliation waits for results. A later result is there for the next reconciliation."""
REQUEST_SECONDS: Final = 10.0
FAILURE_SECONDS: Final = 5.0
"""How long a failed lookup is not repeated."""
PARALLEL: Final = 8
NOT_READY_SECONDS: Final = 5.0
"""How long a node that was not ready counts as such, whoever asks: most are ready again soon."""
RESULTS_KEPT: Final = 1000
"""Results in the cache; the least recently used go first."""

EVENTS_LISTED: Final = 500
"""Events that are read of one object: a user who may write events can write any number of them."""

NODES_LISTED: Final = 100
"""Nodes of a page. A node may have some tens of kilobytes, for the images that it lists."""
NODE_PAGES: Final = 50
"""Pages that are read. Of a larger cluster the largest node is not known."""

Result = tuple[ObservedEvent, ...] | ObservedNode | LargestNode


class _Observed(Protocol):
    """Observations, and the lookups that would make them more precise."""

    @property
    def lookup_requests(self) -> frozenset[LookupRequest]: ...


T = TypeVar("T", bound=_Observed)


@dataclass(slots=True)
class _Known:
    """The last result of a lookup, and the one that may be running."""

    result: Result | None = None
    started_at: float = float("-inf")
    ended_at: float = float("-inf")
    """When the result came."""
    failed: bool = False
    task: asyncio.Task[None] | None = None


class Lookups:
    """Makes lookups, and keeps each result for all reconciliations while it is fresh."""

    def __init__(self, client: KubeClient, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._now = now
        self._known: OrderedDict[LookupRequest, _Known] = OrderedDict()
        self._slots = asyncio.Semaphore(PARALLEL)
        self._forbidden: set[str] = set()

    async def results(self, requests: Collection[LookupRequest]) -> LookupResults:
        """Return the results that are there after at most `WAIT_SECONDS`."""
        known_of = {request: self._start(request) for request in requests}
        self._forget()
        running = [known.task for known in known_of.values() if known.task is not None]
        if running:
            await asyncio.wait(running, timeout=WAIT_SECONDS)
        events: dict[str, tuple[ObservedEvent, ...]] = {}
        nodes: dict[str, ObservedNode] = {}
        largest = LargestNode()
        for request, known in sorted(known_of.items(), key=lambda each: each[1].ended_at):  # the newest wins
            if isinstance(known.result, ObservedNode):
                if not self._may_be_ready_again(known):
                    nodes[request.name] = known.result
            elif isinstance(known.result, LargestNode):
                largest = known.result
            elif known.result is not None:
                events[request.name] = known.result
        return LookupResults(events, nodes, largest.amounts)

    async def observe(self, observe: Callable[[LookupResults], Awaitable[T]]) -> T:
        """Observe, and once more if lookups tell more."""
        observed = await observe(NO_RESULTS)
        if observed.lookup_requests:
            observed = await observe(await self.results(observed.lookup_requests))
        return observed

    def _start(self, request: LookupRequest) -> _Known:
        known = self._known.setdefault(request, _Known())
        self._known.move_to_end(request)
        is_repeated_soon = known.failed and request.about != "nodes"  # a list of all nodes costs too much
        fresh = FAILURE_SECONDS if is_repeated_soon else request.fresh
        if self._may_be_ready_again(known):
            fresh = min(fresh, NOT_READY_SECONDS)
        if known.task is None and self._now() - known.started_at >= fresh:
            known.started_at = self._now()
            known.task = asyncio.create_task(self._look_up(request, known))
        return known

    def _may_be_ready_again(self, known: _Known) -> bool:
        """Whether the result is an older one of a node that was not ready: it must not make a pod suspect."""
        node = known.result
        was_ready = not isinstance(node, ObservedNode) or node.ready == "True"
        return not was_ready and self._now() - known.ended_at >= NOT_READY_SECONDS

    async def _look_up(self, request: LookupRequest, known: _Known) -> None:
        try:
            async with self._slots, asyncio.timeout(REQUEST_SECONDS):
                known.result = await self._read(request)
            known.failed, known.ended_at = False, self._now()
        except (KubeError, TimeoutError) as error:
            known.failed = True  # the result before it is better than none
            self._explain(request, error)
        except Exception:
            known.failed = True
            log.exception("cannot look up %s %s: unexpected error", request.about, request.name)
        finally:
            known.task = None

    async def _read(self, request: LookupRequest) -> Result:
        if request.about == "node":
            return project_node(await self._client.request(Request("get", NODES, None, request.name)))
        if request.about == "nodes":
            return await self._largest_node()
        about = f"involvedObject.uid={request.name}"
        found = await self._client.list(EVENTS, request.namespace, fields=about, limit=EVENTS_LISTED)
        return project_events(mappings(found, "items"))

    async def _largest_node(self) -> LargestNode:
        largest, after = LargestNode(), None
        for _ in range(NODE_PAGES):
            page = await self._client.list(NODES, None, limit=NODES_LISTED, after=after)
            for node in mappings(page, "items"):
                largest = largest.or_larger(project_allocatable(node))
            after = text(mapping(page, "metadata"), "continue")
            if not after:
                return largest
        return LargestNode()

    def _explain(self, request: LookupRequest, error: KubeError | TimeoutError) -> None:
        log.debug("cannot look up %s %s: %s", request.about, request.name, error)
        if isinstance(error, ApiError) and error.status == 403 and request.about not in self._forbidden:
            self._forbidden.add(request.about)
            log.warning("cannot read events or nodes; failure reasons will be less specific: %s", error)

    def _forget(self) -> None:
        while len(self._known) > RESULTS_KEPT:
            self._known.popitem(last=False)
