"""Server-sent events as an answer: heartbeats, repeated access checks, headers."""

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
ACCESS_CHECK_SECONDS: Final = 60.0
"""Seconds between two access checks of a stream: a multiple of the heartbeat."""
STREAM: Final = "stream"
"""Key in the state of a request by which the server knows that its answer is a stream."""

# The server closes streams at its end; by default sse-starlette would drain them, and each would be logged as an error.
# This setting is global and not documented: tests/unit/mill_gateway/test_sse_starlette.py holds the version to it.
AppStatus.enable_automatic_graceful_drain = False
logging.getLogger("sse_starlette").setLevel(logging.INFO)  # at DEBUG it logs every event


def event_stream(
    events: AsyncIterator[bytes], opened: Gauge, headers: Mapping[str, str] | None = None, *, guard: Guard | None = None
) -> EventSourceResponse:
    """Return the answer that streams encoded events, with a comment every 15 s as heartbeat.

    The server closes it if the client does not read, and when the process ends. `guard` is None for a stream without
    access checks.
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
                last = self._guard.encode_refusal(self._refusal)
                await send({"type": "http.response.body", "body": last, "more_body": False})
        finally:
            if self._guard is not None:
                self._guard.slots.release()

    async def _ping(self, send: Send) -> None:
        """Send heartbeats until an access check fails. Its return ends the stream."""
        beats = 0
        while self.active:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            beats += 1
            if self._guard is not None and beats % (ACCESS_CHECK_SECONDS // HEARTBEAT_SECONDS) == 0:
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
