"""Recorder of Kubernetes Events: in the background, one object for each verdict; no reconciliation waits for it.

An Event's name is made of its content, so that an operator that reports it again (after a restart, or another replica)
finds the first one. A verdict that was made again increments its count, as in client-go's recorder. A lost Event is no
error: the status has everything.

Events are written in the core group's form, with its time stamps: `kubectl describe` sorts by these alone, and shows
Events of the newer form (`events.k8s.io`) in no order at all.
"""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mill_api import names
from mill_api.events import short_uid
from mill_kube.client import KubeClient
from mill_kube.errors import ApiError, Conflict, NotFound, Unreachable, WriteFenced
from mill_kube.resources import EVENTS
from mill_objects.fields import number
from mill_objects.key import Key
from mill_operator.core.rollout.event_messages import EventMessage

log = logging.getLogger(__name__)

CONTROLLER = f"{names.GROUP}/operator"
WAITING_LIMIT = 4096
"""Events that wait to be posted; further ones are lost."""
PAUSES = (0.5, 2.0, 8.0)
"""Seconds between attempts while the API server does not answer."""


@dataclass(frozen=True, slots=True)
class _Post:
    key: Key
    uid: str
    message: EventMessage
    at: str


class Recorder:
    """Posts Events one after the other. Its task runs only while there are Events to post."""

    def __init__(self, client: KubeClient, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._instance = socket.gethostname()[:128]
        self._waiting: deque[_Post] = deque()
        self._worker: asyncio.Task[None] | None = None

    def record(self, key: Key, uid: str, message: EventMessage) -> None:
        """Queue a message to be posted as an Event of a MillDeployment."""
        if len(self._waiting) >= WAITING_LIMIT:
            log.debug("%s: event %s is lost: the queue is full", key, message.reason)
            return
        self._waiting.append(_Post(key, uid, message, self._now().strftime("%Y-%m-%dT%H:%M:%SZ")))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def drain(self, seconds: float) -> None:
        """Post the waiting Events, within a number of seconds."""
        if self._worker is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._worker

    async def _work(self) -> None:
        while self._waiting:
            post = self._waiting.popleft()
            try:
                await self._post(post)
            except Exception:  # an odd Event must not stop the others
                log.exception("%s: event %s is lost: unexpected error", post.key, post.message.reason)

    async def _post(self, post: _Post) -> None:
        for pause in (*PAUSES, None):
            try:
                await self._create(post)
            except Unreachable:
                if pause is not None:
                    await asyncio.sleep(pause)
                    continue
                log.debug("%s: event %s is lost: no answer", post.key, post.message.reason)
            except WriteFenced:
                log.debug("%s: event %s is lost: another replica leads", post.key, post.message.reason)
            except ApiError as error:
                level = logging.DEBUG if isinstance(error, NotFound) or error.namespace_terminating else logging.WARNING
                log.log(level, "%s: event %s is lost: %s", post.key, post.message.reason, error)
            except Exception:
                log.exception("%s: event %s is lost: unexpected error", post.key, post.message.reason)
            return

    async def _create(self, post: _Post) -> None:
        body = event(post.key, post.uid, post.message, at=post.at, instance=self._instance)
        try:
            await self._client.create(EVENTS, post.key.namespace, body, manager=names.OPERATOR_FIELD_MANAGER)
        except Conflict:
            if post.message.count != 1:
                await self._count_up(post, body["metadata"]["name"])

    async def _count_up(self, post: _Post, name: str) -> None:
        """Increment the count of an Event."""
        count = post.message.count
        if count is None:
            count = 1 + max(1, number(await self._client.get(EVENTS, post.key.namespace, name), "count"))
        changes: list[dict[str, Any]] = [
            {"op": "replace", "path": "/count", "value": count},
            {"op": "replace", "path": "/lastTimestamp", "value": post.at},
        ]
        await self._client.json_patch(EVENTS, post.key.namespace, name, changes, manager=names.OPERATOR_FIELD_MANAGER)


def event(key: Key, uid: str, message: EventMessage, *, at: str, instance: str) -> dict[str, Any]:
    """Return the Event of a message."""
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": f"{key.name}.{short_uid(uid)}.{message.id}", "namespace": key.namespace},
        "type": "Warning" if message.warning else "Normal",
        "reason": message.reason,
        "message": message.text,
        "action": message.action,
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "namespace": key.namespace,
            "name": key.name,
            "uid": uid,
        },
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
        "source": {"component": CONTROLLER, "host": instance},
        "reportingComponent": CONTROLLER,
        "reportingInstance": instance,
    }
