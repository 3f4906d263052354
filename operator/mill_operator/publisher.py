"""Writes of the status: only of changes, verdicts at once, the rest a little later."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from mill_api import names
from mill_api.status import MillDeploymentStatus
from mill_kube.client import KubeClient
from mill_kube.errors import Conflict, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key
from mill_operator.core.rollout.event_messages import event_messages
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.core.rollout.write_throttle import Urgency, pause_seconds, urgency
from mill_operator.memory import Memory
from mill_operator.recorder import Recorder
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
        """Write a status. Return False after a conflict; a resource that is gone needs no status."""
        body = {"metadata": {"uid": memory.uid}, "status": wire(change.after)}
        started = time.monotonic()
        try:
            await self._client.merge_status(MILL_DEPLOYMENTS, *key, body, manager=names.OPERATOR_FIELD_MANAGER)
        except NotFound:
            log.debug("%s: gone", key, extra=about(key))
            return True
        except Conflict:
            log.debug("%s: conflict: the resource was modified or recreated", key, extra=about(key))
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


def wire(status: MillDeploymentStatus) -> dict[str, Any]:
    """Return the status for a merge patch. It keeps old keys of maps, so that a removed key is an explicit null."""
    wire: dict[str, Any] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    rollout = status.rollout
    wire["rollout"] = rollout.model_dump(mode="json", by_alias=True) if rollout else None
    return wire
