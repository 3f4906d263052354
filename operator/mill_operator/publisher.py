"""Writing the status: only when it changed, verdicts at once, the rest in a little while."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from mill_api.status import MillDeploymentStatus
from mill_kube.client import Conflict, KubeClient, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
from mill_objects.key import Key
from mill_operator.children import MANAGER
from mill_operator.core.rollout.event_messages import event_messages
from mill_operator.core.rollout.write_throttle import Change, change, pause
from mill_operator.memory import Memory
from mill_operator.recorder import Recorder
from mill_process.logs import about

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""After so long a write is made again that others were faster than."""

OnWrite: TypeAlias = Callable[[Key, MillDeploymentStatus, MillDeploymentStatus], None]
"""Told of every status that was written, and of the one before."""


class Publisher:
    """Writes what is remembered as the newest status into the resource, and tells of it."""

    def __init__(self, client: KubeClient, recorder: Recorder, on_write: OnWrite) -> None:
        self._client = client
        self._recorder = recorder
        self._on_write = on_write

    async def publish(self, key: Key, memory: Memory) -> float | None:
        """Write the status if it changed. Return after how many seconds, if it is too early now."""
        kind = change(memory.written, memory.status)
        if kind is Change.NOTHING:
            return None
        wait = memory.written_at + pause(kind, memory.write_seconds) - time.monotonic()
        if wait > 0:
            return wait
        return None if await self.flush(key, memory) else RETRY_SECONDS

    async def flush(self, key: Key, memory: Memory) -> bool:
        """Write the status now, if it changed. Return False if others were faster; what is gone has none to write."""
        status = memory.status
        if status == memory.written:
            return True
        body = {"metadata": {"uid": memory.uid}, "status": wire(status)}
        started = time.monotonic()
        try:
            await self._client.merge_status(MILL_DEPLOYMENTS, *key, body, manager=MANAGER)
        except NotFound:
            log.debug("%s: gone", key, extra=about(key))
            return True
        except Conflict:
            log.debug("%s: others write it all the time, or another has its name", key, extra=about(key))
            return False
        memory.written_at = time.monotonic()
        memory.write_seconds = memory.written_at - started
        before = memory.written
        memory.statuses.mark_written(status)
        self._report(key, memory.uid, before, status)
        self._on_write(key, before, status)
        return True

    def _report(self, key: Key, uid: str, before: MillDeploymentStatus, after: MillDeploymentStatus) -> None:
        for each in event_messages(before, after):
            level = logging.WARNING if each.warning else logging.INFO
            log.log(level, "%s: %s", key, each.text, extra=about(key, **each.about, reason=each.reason))
            if each.verdict:
                self._recorder.record(key, uid, each)


def wire(status: MillDeploymentStatus) -> dict[str, Any]:
    """Return the status for a merge patch, which keeps old keys of maps: what is to go is an explicit null."""
    wire: dict[str, Any] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    rollout = status.rollout
    wire["rollout"] = rollout.model_dump(mode="json", by_alias=True) if rollout else None
    return wire
