"""A rollout as server-sent events: replayed from its first, then followed to its `done`.

A stream has no queue: when it wakes, it reads the newest status and sends what it has not sent. A slow reader thus
costs no memory, and never misses a verdict, since a status keeps all that happened in the rollout.
"""

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse

from mill_api.events import END, SUPERSEDED, Event, qualified_id
from mill_gateway.gateway import Gateway
from mill_gateway.objects.deployments import Deployment
from mill_gateway.stores import Store
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.response import event_stream
from mill_objects.key import Key


def rollout_response(
    gateway: Gateway,
    key: Key,
    uid: str,
    rollout: str,
    *,
    guard: Guard,
    after: int = 0,
    full: bool = False,
    only: str | None = None,
) -> EventSourceResponse:
    """Answer with the events of a rollout that come after position `after`; with `only`, with those of one service."""
    events = follow(gateway.stores.deployments, key, uid, rollout, after=after, full=full, only=only)
    opened = gateway.metrics.streams.labels("rollout")
    headers = {"Mill-Deployment": str(key), "Mill-Rollout": qualified_id(uid, rollout)}
    return event_stream(events, opened, headers, guard=guard)


async def follow(
    deployments: Store[Deployment],
    key: Key,
    uid: str,
    rollout: str,
    *,
    after: int = 0,
    full: bool = False,
    only: str | None = None,
) -> AsyncIterator[bytes]:
    """Yield the events' bytes until the last. The rollout goes on whether anybody follows or not."""
    sent = after
    with deployments.subscriptions.subscribe(key) as changed:
        while sent < END:
            changed.clear()
            current = deployments.get(key)
            if current is None or current.uid != uid:
                for event in _deleted(qualified_id(uid, rollout)):
                    if event.seq > sent:
                        yield event.encode()
                return
            for event, encoded in current.events(rollout, full=full, only=only):
                if event.seq > sent:
                    sent = event.seq
                    yield encoded
            if sent < END:
                await changed.wait()


def _deleted(prefix: str) -> list[Event]:
    return [
        Event(prefix, SUPERSEDED, "failed", {"reason": "the deployment was deleted"}),
        Event(prefix, END, "done", {"elapsed": 0.0, "success": False}),
    ]
