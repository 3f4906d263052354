"""The log of a container, as a stream of bytes."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import aiohttp

from mill_kube import connection as connections
from mill_kube.connection import LOG_BUFFER, Connection, Request, hang_up
from mill_kube.errors import Unreachable, describe
from mill_kube.resources import PODS

FOLLOW_SECONDS = 24 * 3600.0
"""A log is followed no longer in one request; kubelets end one after four hours of silence."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which lines of which container."""

    container: str
    follow: bool = False
    previous: bool = False
    """The log of the start before the current one."""
    tail: int | None = None
    """Number of last lines; None: all."""
    since: str | None = None
    """RFC 3339 with whole seconds, which is all that Kubernetes looks at."""


async def read_log(connection: Connection, namespace: str, pod: str, options: LogOptions) -> AsyncGenerator[bytes]:
    """Yield a log in chunks as they come; each line begins with its time.

    Raise `ApiError` before the first chunk if there is nothing to read, `Unreachable` if it breaks off.
    """
    query = {
        "container": options.container,
        "timestamps": "true",
        "follow": "true" if options.follow else None,
        "previous": "true" if options.previous else None,
        "tailLines": None if options.tail is None else str(options.tail),
        "sinceTime": options.since,
    }
    request = Request("get", PODS, namespace, pod, "log", query)
    # Of one that ends, each part must come in time when it is waited for; not the whole, which takes as long as its
    # reader. (aiohttp's own `sock_read` also runs while no one reads, where buffers are as small as these.)
    each = None if options.follow else connections.REQUEST_TIMEOUT
    timeout = aiohttp.ClientTimeout(FOLLOW_SECONDS if options.follow else None)
    response: aiohttp.ClientResponse | None = None
    try:
        async with asyncio.timeout(each):
            response = await connection.send(request, timeout, small_buffer=True)
        while True:
            async with asyncio.timeout(each):
                chunk = await response.content.read(LOG_BUFFER)
            if not chunk:
                return
            yield chunk
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unreachable(f"logs of {namespace}/{pod}: cut off: {describe(error)}") from error
    finally:
        if response is not None:
            hang_up(response)
