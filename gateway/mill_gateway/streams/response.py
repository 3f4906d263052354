"""What all streams have in common."""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Final

from prometheus_client import Gauge
from sse_starlette import EventSourceResponse
from sse_starlette.sse import AppStatus
from starlette.types import Receive, Scope, Send

HEARTBEAT_SECONDS: Final = 15
STREAM: Final = "stream"
"""What tells the server, in the state of a request, that its answer goes on."""

AppStatus.enable_automatic_graceful_drain = False  # the server cuts streams off: else each would be an error in the log
logging.getLogger("sse_starlette").setLevel(logging.INFO)  # below that it logs whatever it sends


def event_stream(
    events: AsyncIterator[bytes], opened: Gauge, headers: Mapping[str, str] | None = None
) -> EventSourceResponse:
    """Answer with events whose bytes are made already; a comment every 15 s shows that the stream is alive.

    The server cuts off who does not read them, and everybody at its end.
    """
    return _Stream(
        _counted(events, opened),
        ping=HEARTBEAT_SECONDS,
        headers={**(headers or {}), "X-Accel-Buffering": "no", "Cache-Control": "no-cache"},
    )


class _Stream(EventSourceResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[STREAM] = True
        await super().__call__(scope, receive, send)


async def _counted(events: AsyncIterator[bytes], opened: Gauge) -> AsyncIterator[bytes]:
    with opened.track_inprogress():
        async for each in events:
            yield each
