"""What all streams have in common."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final

from prometheus_client import Gauge
from sse_starlette import EventSourceResponse
from sse_starlette.sse import AppStatus
from starlette.types import Receive, Scope, Send

from mill_gateway.streams.guard import Guard

HEARTBEAT_SECONDS: Final = 15.0
ASK_SECONDS: Final = 60.0
"""How often a stream asks anew whether it may go on: with a heartbeat."""
STREAM: Final = "stream"
"""What tells the server, in the state of a request, that its answer goes on."""

AppStatus.enable_automatic_graceful_drain = False  # the server cuts streams off: else each would be an error in the log
logging.getLogger("sse_starlette").setLevel(logging.INFO)  # below that it logs whatever it sends


def event_stream(
    events: AsyncIterator[bytes], opened: Gauge, headers: Mapping[str, str] | None = None, *, guard: Guard | None = None
) -> EventSourceResponse:
    """Answer with events whose bytes are made already; a comment every 15 s shows that the stream is alive.

    The server cuts off who does not read them, and everybody at its end. `guard` is None for what nobody is asked for.
    """
    return _Stream(_counted(events, opened), guard, headers or {})


class _Stream(EventSourceResponse):
    def __init__(self, events: AsyncIterator[bytes], guard: Guard | None, headers: Mapping[str, str]) -> None:
        own = {"X-Accel-Buffering": "no", "Cache-Control": "no-cache"}
        super().__init__(events, ping=HEARTBEAT_SECONDS, headers={**headers, **own})
        self._guard = guard
        self._scope: Scope = {}
        self._refusal: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[STREAM] = True
        self._scope = scope
        try:
            await super().__call__(scope, receive, send)
            if self._guard is not None and self._refusal is not None and self.active:
                last = self._guard.farewell(self._refusal)
                await send({"type": "http.response.body", "body": last, "more_body": False})
        finally:
            if self._guard is not None:
                self._guard.place.release()

    async def _ping(self, send: Send) -> None:
        """Show that the stream is alive, until it may not go on: its end ends the stream."""
        beats = 0
        while self.active:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            beats += 1
            if self._guard is not None and beats % (ASK_SECONDS // HEARTBEAT_SECONDS) == 0:
                self._refusal = await self._guard.refusal(self._scope)
                if self._refusal is not None:
                    return
            async with self._send_lock:
                if self.active:
                    beat = f": ping - {datetime.now(UTC)}\r\n\r\n".encode()
                    await send({"type": "http.response.body", "body": beat, "more_body": True})


async def _counted(events: AsyncIterator[bytes], opened: Gauge) -> AsyncIterator[bytes]:
    with opened.track_inprogress():
        async for each in events:
            yield each
