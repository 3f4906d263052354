"""Telling of passes that fail one after the other: the status write must not depend on what failed.

It is made of the status that the API server has, and of nothing else: not of what the pass has worked out, and not by
what writes statuses otherwise.
"""

import logging
from collections.abc import Callable, MutableMapping
from datetime import datetime

from mill_kube.client import ApiError, Conflict, Expired, KubeClient, KubeError, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key
from mill_operator.caches import Parent
from mill_operator.children import MANAGER
from mill_operator.core.internal_errors import Fault, fault_of
from mill_operator.core.rollout.internal_error import Failing, announce_fault, begin_failing, cannot_be_judged
from mill_operator.memory import Memory
from mill_operator.publisher import OnWrite, wire
from mill_operator.recorder import Recorder
from mill_process.logs import about

log = logging.getLogger(__name__)

TRANSIENT = frozenset({401, 408, 425, 429})
"""Answers by which the API server only asks to come again, besides 5xx."""


def fault_in(error: Exception) -> Fault | None:
    """Return what is to be told of a pass's error; None of an API server that is away, or busy, or was faster."""
    if not isinstance(error, KubeError):
        return fault_of(error)
    if not isinstance(error, ApiError) or isinstance(error, Conflict | Expired) or error.namespace_goes:
        return None
    if error.status in TRANSIENT or error.status >= 500:
        return None
    return fault_of(error, f"{type(error).__name__} {error.status}")


class FailingPasses:
    """Remembers which passes fail in a row. May be lost: then it takes longer until it is told."""

    def __init__(
        self,
        client: KubeClient,
        memory: MutableMapping[Key, Memory],
        recorder: Recorder,
        now: Callable[[], datetime],
        on_write: OnWrite,
    ) -> None:
        self._client = client
        self._memory = memory
        self._recorder = recorder
        self._now = now
        self._on_write = on_write
        self._rows: dict[Key, Failing] = {}
        self._told: dict[Key, tuple[int, str, bool]] = {}
        """What the status says of a row: of which generation and rollout, and whether that has ended."""

    def over(self, key: Key) -> None:
        """Note that a pass has succeeded, or that there is nothing to make passes over."""
        self._rows.pop(key, None)
        self._told.pop(key, None)

    async def failed(self, parent: Parent, fault: Fault) -> None:
        """Note that a pass has failed, and tell of it if it is time. Raise `KubeError` if that cannot be written."""
        key, now = parent.key, self._now()
        row = self._rows.get(key)
        row = self._rows[key] = row.and_again(parent.rollout_id, now) if row else begin_failing(parent.rollout_id, now)
        if key in self._told and (memory := self._memory.get(key)) is not None:
            memory.status = memory.written  # what the pass has worked out is not to be written when we stop
        tells = (parent.generation, parent.rollout_id, row.gives_up(now))
        if row.repeats(now) and self._told.get(key) != tells:
            await self._tell(parent, fault, now, end=row.gives_up(now))
            self._told[key] = tells
        if (memory := self._memory.get(key)) is not None:
            memory.statuses.rest()

    async def _tell(self, parent: Parent, fault: Fault, now: datetime, *, end: bool) -> None:
        memory = self._memory.get(parent.key)
        if memory is None or memory.uid != parent.uid:
            memory = self._memory[parent.key] = Memory.of(parent)
        before = memory.written
        after = cannot_be_judged(
            before, fault, generation=parent.generation, rollout_id=parent.rollout_id, end=end, now=now
        )
        if after != before:
            body = {"metadata": {"uid": memory.uid}, "status": wire(after)}
            try:
                await self._client.merge_status(MILL_DEPLOYMENTS, *parent.key, body, manager=MANAGER)
            except NotFound:
                log.debug("%s: gone", parent.key, extra=about(parent.key))
                return
        # What the pass had worked out is worked out again by the next one that succeeds.
        memory.statuses.write(after)
        memory.status = after
        for each in announce_fault(before, after, parent.rollout_id, fault):
            log.warning("%s: %s", parent.key, each.note, extra=about(parent.key, **each.about, reason=each.reason))
            self._recorder.record(parent.key, parent.uid, each)
        if after != before:
            self._on_write(parent.key, before, after)
