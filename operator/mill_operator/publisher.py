"""Writes of the status: only of changes, verdicts at once, the rest a little later."""

import logging
import time
from collections.abc import Callable
from typing import TypeAlias

from mill_kube.client import KubeClient
from mill_kube.errors import Conflict
from mill_objects.key import Key
from mill_operator.core.rollout.event_messages import event_messages
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.core.rollout.write_throttle import Urgency, pause_seconds, urgency
from mill_operator.memory import Memory
from mill_operator.recorder import Recorder
from mill_operator.resource_requests import ResourceGone, write_status
from mill_process.logs import about

log = logging.getLogger(__name__)

CONFLICT_RETRY_SECONDS = 1.0
"""Delay before a status write is tried again that was refused because of a conflict."""

OnWrite: TypeAlias = Callable[[Key, StatusChange], None]
"""Called with every change of a status that was written."""


class Publisher:
    """Writes the newest status of a MillDeployment into the resource, and reports what it changes."""

    def __init__(self, client: KubeClient, recorder: Recorder, on_write: OnWrite) -> None:
        self._client = client
        self._recorder = recorder
        self._on_write = on_write

    async def publish(self, key: Key, memory: Memory) -> float | None:
        """Write the status if it changed and the throttle allows it. Return the seconds to wait before the next try."""
        change = StatusChange.between(memory.written, memory.status)
        kind = urgency(change)
        if kind is Urgency.NONE:
            return None
        wait = memory.written_at + pause_seconds(kind, memory.write_seconds) - time.monotonic()
        if wait > 0:
            return wait
        return None if await self._write(key, memory, change) else CONFLICT_RETRY_SECONDS

    async def flush(self, key: Key, memory: Memory) -> None:
        """Write the status now, if it changed. Raise `KubeError` if the API server does not take it."""
        change = StatusChange.between(memory.written, memory.status)
        if not change.is_empty:
            await self._write(key, memory, change)

    async def _write(self, key: Key, memory: Memory, change: StatusChange) -> bool:
        """Write a status. Return False after a conflict; a deleted resource needs no status."""
        started = time.monotonic()
        try:
            await write_status(self._client, key, memory.uid, change.after)
        except ResourceGone:
            log.debug("%s: deleted or replaced", key, extra=about(key))
            return True
        except Conflict:
            log.debug("%s: conflict: other clients modify the resource", key, extra=about(key))
            return False
        memory.written_at = time.monotonic()
        memory.write_seconds = memory.written_at - started
        memory.statuses.mark_written(change.after)
        self._report(key, memory.uid, change)
        self._on_write(key, change)
        return True

    def _report(self, key: Key, uid: str, change: StatusChange) -> None:
        for each in event_messages(change):
            level = logging.WARNING if each.warning else logging.INFO
            log.log(level, "%s: %s", key, each.text, extra=about(key, **each.about, reason=each.reason))
            if each.verdict:
                self._recorder.record(key, uid, each)
