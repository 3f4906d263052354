"""The stream of a watch: one JSON object in each line."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import aiohttp

from mill_kube.connection import Connection, Request, hang_up, json_object
from mill_kube.errors import ApiError, Unreachable, WatchStalled, describe
from mill_objects.fields import number
from mill_objects.json import Json

LARGEST_EVENT = 64 * 1024 * 1024
"""Bytes of one event of a watch: many times what etcd keeps of an object."""
WATCH_SECONDS = 280
"""After how many seconds the server ends a watch, which then continues where it was."""


async def watch_events(connection: Connection, request: Request) -> AsyncIterator[Json]:
    """Yield the events of a watch until the server ends it. Raise `WatchStalled` when it sends nothing any more."""
    response = await connection.send(request, WATCH_SECONDS + 20)
    try:
        async with aclosing(_lines(response.content, connection.stall_seconds)) as lines:
            async for line in lines:
                yield _event(line)
    finally:
        hang_up(response)


def _event(line: bytes) -> Json:
    event = json_object(line, "an event of a watch")
    kind, body = event.get("type"), event.get("object")
    if not isinstance(kind, str) or not isinstance(body, dict):
        raise Unreachable("an event of a watch has no type or no object")
    if kind == "ERROR":  # an expired watch is HTTP 200 with the 410 inside
        raise ApiError.from_status(number(body, "code", 500), json.dumps(body).encode())
    return event


async def _lines(content: aiohttp.StreamReader, stall_seconds: float) -> AsyncGenerator[bytes]:
    """Yield lines. `readline` fails at 4 MiB, and JSON writes some letters of an object in six bytes."""
    incomplete = bytearray()
    while True:
        try:
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with a line.
            async with asyncio.timeout(stall_seconds):
                part = await content.readany()
        except TimeoutError as error:
            raise WatchStalled(f"silent for {stall_seconds:.3g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"cut off: {describe(error)}") from error
        if not part:
            return  # half a line is no event: the next watch begins before it
        *lines, rest = part.split(b"\n")
        for line in lines:
            yield bytes(incomplete + line)
            incomplete.clear()
        incomplete += rest
        if len(incomplete) > LARGEST_EVENT:
            raise Unreachable(f"an event of more than {LARGEST_EVENT} bytes")
