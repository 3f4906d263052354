"""A rollout as server-sent events: replayed from the first, then followed to its `done`.

A stream has no queue: when it is notified, it reads the newest status and sends the events that it has not sent. A slow
reader costs no memory and misses no verdict, since a status keeps all transitions of its rollout.
"""

from collections.abc import AsyncIterator, Iterable, Iterator

from prometheus_client import Gauge
from sse_starlette import EventSourceResponse

from mill_api.events import END, SUPERSEDED, Event, Notice
from mill_api.task_notices import TASK
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
    sent, knows_pause, tasks = query.after, False, _SentOnce()
    with deployments.subscriptions.subscribe(query.key) as changed:
        while sent < END:
            changed.clear()
            current = deployments.get(query.key)
            if current is None or current.uid != query.uid:
                for event in _deleted(query.qualified_id):
                    if event.seq > sent:
                        yield event.encode()
                return
            for position, encoded in _unsent(current, query, sent, tasks):
                sent = position
                yield encoded
            notices = current.pause_notices(query.rollout, only=query.service)
            for notice in [] if knows_pause else notices:
                yield notice.encode()
            knows_pause = bool(notices)
            if sent < END:
                await changed.wait()


class _SentOnce:
    """The newest notice about each task that a stream has sent."""

    def __init__(self) -> None:
        self._newest: dict[str, bytes] = {}

    def new(self, notices: Iterable[Notice]) -> Iterator[bytes]:
        """Yield the bytes of each notice that says something else than the one before it."""
        for notice in notices:
            task, encoded = str(notice.data[TASK]), notice.encode()
            if self._newest.get(task) != encoded:
                self._newest[task] = encoded
                yield encoded


def _unsent(current: Deployment, query: RolloutQuery, sent: int, tasks: _SentOnce) -> Iterator[tuple[int, bytes]]:
    """Yield the bytes that a reader has not got, each with the position of the last event that it has then.

    A task is reported before the services that wait for it, and after those for which it waits.
    """
    for notice in tasks.new(_task_notices(current, query, "before")):
        yield sent, notice
    unsent = [each for each in current.events(query.rollout, full=query.full, only=query.service) if each[0].seq > sent]
    for event, encoded in unsent:
        if not event.last:
            sent = event.seq
            yield sent, encoded
    for notice in tasks.new(_task_notices(current, query, "after")):
        yield sent, notice
    for event, encoded in unsent[-1:]:
        if event.last:
            yield event.seq, encoded


def _task_notices(current: Deployment, query: RolloutQuery, order: str) -> list[Notice]:
    return current.task_notices(query.rollout, order, only=query.service) if query.full else []


def _deleted(prefix: str) -> list[Event]:
    return [
        Event(prefix, SUPERSEDED, "failed", {"reason": "the deployment was deleted"}),
        Event(prefix, END, "done", {"elapsed": 0.0, "success": False}),
    ]
