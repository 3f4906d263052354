"""Lookups of events and nodes where a pod's status does not say enough: on demand, in parallel, with a time limit.

A result helps, and nothing depends on it: without it (no right, no such object, a slow API server) a reason lacks its
detail. Rights needed: `list` events in the namespaces of the MillDeployments, and `get` nodes. An operator without the
latter reports `the platform of node node-1` instead of `linux/amd64`, and does not notice a lost node.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from mill_kube.client import ApiError, KubeClient, KubeError
from mill_kube.resources import EVENTS, NODES
from mill_objects.fields import mappings
from mill_operator.core.observed.events import ObservedEvent, project_events
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.nodes import ObservedNode, project_node
from mill_operator.core.verdicts.lookup_requests import LookupRequest

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 1.0
"""How long a reconciliation waits for results. A later result is there for the next reconciliation."""
REQUEST_SECONDS: Final = 10.0
FAILURE_SECONDS: Final = 5.0
"""How long a failed lookup is not repeated."""
PARALLEL: Final = 8
RESULTS_KEPT: Final = 1000
"""Results in the cache; the least recently used go first."""

EVENTS_LISTED: Final = 500
"""Events that are read of one object: a user who may write events can write any number of them."""

Answer = tuple[ObservedEvent, ...] | ObservedNode


@dataclass(slots=True)
class _Known:
    """The last result of a lookup, and the one that may be running."""

    answer: Answer | None = None
    asked_at: float = float("-inf")
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

    async def answer(self, lookup_requests: Collection[LookupRequest]) -> LookupResults:
        """Return the results that are there after at most `WAIT_SECONDS`."""
        asked = {question: self._ask(question) for question in lookup_requests}
        self._forget()
        running = [known.task for known in asked.values() if known.task is not None]
        if running:
            await asyncio.wait(running, timeout=WAIT_SECONDS)
        events: dict[str, tuple[ObservedEvent, ...]] = {}
        nodes: dict[str, ObservedNode] = {}
        for question, known in asked.items():
            if isinstance(known.answer, ObservedNode):
                nodes[question.name] = known.answer
            elif known.answer is not None:
                events[question.name] = known.answer
        return LookupResults(events, nodes)

    def _ask(self, question: LookupRequest) -> _Known:
        known = self._known.setdefault(question, _Known())
        self._known.move_to_end(question)
        fresh = FAILURE_SECONDS if known.failed else question.fresh
        if known.task is None and self._now() - known.asked_at >= fresh:
            known.asked_at = self._now()
            known.task = asyncio.create_task(self._look_up(question, known))
        return known

    async def _look_up(self, question: LookupRequest, known: _Known) -> None:
        try:
            async with self._slots, asyncio.timeout(REQUEST_SECONDS):
                known.answer = await self._read(question)
            known.failed = False
        except (KubeError, TimeoutError) as error:
            known.failed = True  # the result before it is better than none
            self._explain(question, error)
        except Exception:
            known.failed = True
            log.exception("cannot look up %s %s: unexpected error", question.about, question.name)
        finally:
            known.task = None

    async def _read(self, question: LookupRequest) -> Answer:
        if question.about == "node":
            return project_node(await self._client.request("get", NODES, None, question.name))
        about = f"involvedObject.uid={question.name}"
        found = await self._client.list(EVENTS, question.namespace, fields=about, limit=EVENTS_LISTED)
        return project_events(mappings(found, "items"))

    def _explain(self, question: LookupRequest, error: KubeError | TimeoutError) -> None:
        log.debug("cannot look up %s %s: %s", question.about, question.name, error)
        if isinstance(error, ApiError) and error.status == 403 and question.about not in self._forbidden:
            self._forbidden.add(question.about)
            log.warning("cannot read events or nodes; failure reasons will be less specific: %s", error)

    def _forget(self) -> None:
        while len(self._known) > RESULTS_KEPT:
            self._known.popitem(last=False)
