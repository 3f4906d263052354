"""Telling of passes that fail one after the other: the status write must not depend on what failed.

It is made of the status that the API server has, and of nothing else: not of what the pass has worked out, and not by
what writes statuses otherwise.
"""

import logging
from collections.abc import Callable, MutableMapping
from datetime import datetime

from mill_api import names
from mill_kube.client import ApiError, Conflict, Expired, KubeClient, KubeError, NotFound
from mill_kube.resources import MILL_DEPLOYMENTS
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
from mill_operator.publisher import OnWrite, wire
from mill_operator.recorder import Recorder
from mill_process.logs import about

log = logging.getLogger(__name__)

TRANSIENT = frozenset({401, 408, 425, 429})
"""LookupResults by which the API server only asks to come again, besides 5xx."""


def internal_error_in(error: Exception) -> InternalError | None:
    """Return what is to be told of a pass's error; None of an API server that is away, or busy, or was faster."""
    if not isinstance(error, KubeError):
        return internal_error_of(error)
    if not isinstance(error, ApiError) or isinstance(error, Conflict | Expired) or error.namespace_goes:
        return None
    if error.status in TRANSIENT or error.status >= 500:
        return None
    return internal_error_of(error, f"{type(error).__name__} {error.status}")


class InternalErrorReporter:
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
        self._rows: dict[Key, FailureStreak] = {}
        self._told: dict[Key, tuple[int, str, bool]] = {}
        """What the status says of a row: of which generation and rollout, and whether that has ended."""

    def clear(self, key: Key) -> None:
        """Note that a pass has succeeded, or that there is nothing to make passes over."""
        self._rows.pop(key, None)
        self._told.pop(key, None)

    async def failed(self, resource: ObservedMillDeployment, internal_error: InternalError) -> None:
        """Note that a pass has failed, and tell of it if it is time. Raise `KubeError` if that cannot be written."""
        key, now = resource.key, self._now()
        row = self._rows.get(key)
        row = self._rows[key] = (
            row.with_failure(resource.rollout_id, now) if row else first_failure(resource.rollout_id, now)
        )
        if key in self._told and (memory := self._memory.get(key)) is not None:
            memory.status = memory.written  # what the pass has worked out is not to be written when we stop
        tells = (resource.generation, resource.rollout_id, row.gives_up(now))
        if row.repeats(now) and self._told.get(key) != tells:
            await self._report(resource, internal_error, now, end=row.gives_up(now))
            self._told[key] = tells
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
            body = {"metadata": {"uid": memory.uid}, "status": wire(after)}
            try:
                await self._client.merge_status(
                    MILL_DEPLOYMENTS, *resource.key, body, manager=names.OPERATOR_FIELD_MANAGER
                )
            except NotFound:
                log.debug("%s: gone", resource.key, extra=about(resource.key))
                return
        # What the pass had worked out is worked out again by the next one that succeeds.
        memory.statuses.mark_written(after)
        memory.status = after
        for each in internal_error_messages(change, resource.rollout_id, internal_error):
            log.warning("%s: %s", resource.key, each.text, extra=about(resource.key, **each.about, reason=each.reason))
            self._recorder.record(resource.key, resource.uid, each)
        if not change.is_empty:
            self._on_write(resource.key, change)
