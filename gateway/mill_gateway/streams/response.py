"""What all streams have in common."""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Final

from prometheus_client import Gauge
from sse_starlette import EventSourceResponse

HEARTBEAT_SECONDS: Final = 15

logging.getLogger("sse_starlette").setLevel(logging.INFO)  # below that it logs whatever it sends


def event_stream(
    events: AsyncIterator[bytes], opened: Gauge, headers: Mapping[str, str] | None = None
) -> EventSourceResponse:
    """Answer with events whose bytes are made already; a comment every 15 s shows that the stream is alive.

    The server cuts off who does not read them.
    """
    return EventSourceResponse(
        _counted(events, opened),
        ping=HEARTBEAT_SECONDS,
        headers={**(headers or {}), "X-Accel-Buffering": "no", "Cache-Control": "no-cache"},
    )


async def _counted(events: AsyncIterator[bytes], opened: Gauge) -> AsyncIterator[bytes]:
    with opened.track_inprogress():
        async for each in events:
            yield each
