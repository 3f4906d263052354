"""Reports of repeated internal errors in the status. They must not depend on the code that failed.

The status is made from the one that the API server has, and from nothing that a reconciliation works out; and it is not
written by the publisher.
"""

import logging
from collections.abc import Callable, MutableMapping
from datetime import datetime

from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, Expired, KubeError
from mill_objects.key import Key
from mill_operator.core.internal_errors import InternalError, internal_error_of
from mill_operator.core.observed.mill_deployments import ObservedMillDeployment
from mill_operator.core.rollout.internal_error import (
    FailureStreak,
    first_failure,
    internal_error_messages,
    internal_error_status,
)
from mill_operator.core.rollout.status_change import StatusChange
from mill_operator.memory import Memory
from mill_operator.publisher import OnWrite
from mill_operator.recorder import Recorder
from mill_operator.resource_requests import ResourceGone, write_status
from mill_process.logs import about

log = logging.getLogger(__name__)

TRANSIENT = frozenset({401, 408, 425, 429})
"""HTTP statuses, besides 5xx, after which the same request may succeed later."""


def internal_error_in(error: Exception) -> InternalError | None:
    """Return the internal error to report; None if the API server did not answer, was busy, or there was a conflict."""
    if not isinstance(error, KubeError):
        return internal_error_of(error)
    if not isinstance(error, ApiError) or isinstance(error, Conflict | Expired) or error.namespace_terminating:
        return None
    if error.status in TRANSIENT or error.status >= 500:
        return None
    return internal_error_of(error, f"{type(error).__name__} {error.status}")


class InternalErrorReporter:
    """Counts the failures in a row of each key, and reports them. Its state may be lost: a report then comes later."""

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
        self._streaks: dict[Key, FailureStreak] = {}
        self._reported: dict[Key, tuple[int, str, bool]] = {}
        """The last report: the generation, the rollout, and whether the rollout was ended."""

    def clear(self, key: Key) -> None:
        """Forget the failures of a key: a reconciliation has succeeded, or the resource is gone."""
        self._streaks.pop(key, None)
        self._reported.pop(key, None)

    def is_reported(self, key: Key) -> bool:
        """Return whether the failures of a key are reported."""
        return key in self._reported

    async def failed(self, resource: ObservedMillDeployment, internal_error: InternalError) -> None:
        """Count a failure, and report it if it repeats. Raise `KubeError` if the status cannot be written."""
        key, now = resource.key, self._now()
        streak = self._streaks.get(key)
        streak = self._streaks[key] = (
            streak.with_failure(resource.rollout_id, now) if streak else first_failure(resource.rollout_id, now)
        )
        if key in self._reported and (memory := self._memory.get(key)) is not None:
            memory.status = memory.written  # a stop must not write what the failed reconciliation made
        report = (resource.generation, resource.rollout_id, streak.ends_rollout(now))
        if streak.is_reported(now) and self._reported.get(key) != report:
            await self._report(resource, internal_error, now, end=streak.ends_rollout(now))
            self._reported[key] = report
        if (memory := self._memory.get(key)) is not None:
            memory.statuses.compact()

    async def _report(
        self, resource: ObservedMillDeployment, internal_error: InternalError, now: datetime, *, end: bool
    ) -> None:
        memory = self._memory.get(resource.key)
        if memory is None or memory.uid != resource.uid:
            memory = self._memory[resource.key] = Memory.of(resource)
        after = internal_error_status(
            memory.written,
            internal_error,
            generation=resource.generation,
            rollout_id=resource.rollout_id,
            end=end,
            now=now,
        )
        change = StatusChange.between(memory.written, after)
        if not change.is_empty:
            try:
                await write_status(self._client, resource.key, memory.uid, after)
            except ResourceGone:
                log.debug("%s: deleted or replaced", resource.key, extra=about(resource.key))
                return
        # The next reconciliation that succeeds makes the rest of the status again.
        memory.statuses.mark_written(after)
        memory.status = after
        for each in internal_error_messages(change, resource.rollout_id, internal_error):
            log.warning("%s: %s", resource.key, each.text, extra=about(resource.key, **each.about, reason=each.reason))
            self._recorder.record(resource.key, resource.uid, each)
        if not change.is_empty:
            self._on_write(resource.key, change)
