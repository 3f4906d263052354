"""A rollout as server-sent events: replayed from the first, then followed to its `done`.

A stream has no queue: when it is notified, it reads the newest status and sends the events that it has not sent. A slow
reader costs no memory and misses no verdict, since a status keeps all transitions of its rollout.
"""

from collections.abc import AsyncIterator

from prometheus_client import Gauge
from sse_starlette import EventSourceResponse

from mill_api.events import END, SUPERSEDED, Event
from mill_gateway.objects.deployments import Deployment
from mill_gateway.services.rollouts import RolloutQuery
from mill_gateway.stores import Store
from mill_gateway.streams.guard import Guard
from mill_gateway.streams.response import event_stream


def rollout_response(
    deployments: Store[Deployment], query: RolloutQuery, opened: Gauge, guard: Guard
) -> EventSourceResponse:
    """Return the answer that streams the events of a rollout."""
    headers = {"Mill-Deployment": str(query.key), "Mill-Rollout": query.qualified_id}
    return event_stream(follow(deployments, query), opened, headers, guard=guard)


async def follow(deployments: Store[Deployment], query: RolloutQuery) -> AsyncIterator[bytes]:
    """Yield the bytes of each event until the last. The rollout does not depend on its streams."""
    sent, knows_pause = query.after, False
    with deployments.subscriptions.subscribe(query.key) as changed:
        while sent < END:
            changed.clear()
            current = deployments.get(query.key)
            if current is None or current.uid != query.uid:
                for event in _deleted(query.qualified_id):
                    if event.seq > sent:
                        yield event.encode()
                return
            for event, encoded in current.events(query.rollout, full=query.full, only=query.service):
                if event.seq > sent:
                    sent = event.seq
                    yield encoded
            notices = current.pause_notices(query.rollout, only=query.service)
            for notice in [] if knows_pause else notices:
                yield notice.encode()
            knows_pause = bool(notices)
            if sent < END:
                await changed.wait()


def _deleted(prefix: str) -> list[Event]:
    return [
        Event(prefix, SUPERSEDED, "failed", {"reason": "the deployment was deleted"}),
        Event(prefix, END, "done", {"elapsed": 0.0, "success": False}),
    ]
