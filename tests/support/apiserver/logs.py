"""Logs of containers, which the API server reads from kubelets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from mill_kube.connection import Request
from mill_kube.errors import ApiError
from mill_kube.logs import LogOptions
from mill_objects.json import Json

Log = Callable[[LogOptions], AsyncIterator[bytes]]
"""A function that yields a log in chunks, or raises."""

_TIME_LENGTH = len("2026-02-14T10:00:00Z")


class ContainerLog:
    """The log of a container that a test lets write. Each line begins with its time and ends with a line feed."""

    def __init__(
        self, lines: Sequence[bytes] = (), previous: Sequence[bytes] | None = None, *, has_ended: bool = False
    ) -> None:
        self.lines = list(lines)
        self.previous = previous
        """The log of the start before; None: there was none."""
        self.has_ended = has_ended
        """Whether the connection ends after the last line."""
        self._changed = asyncio.Condition()

    async def write(self, *lines: bytes, end: bool = False) -> None:
        """Add lines, and end the connection after them, or not."""
        async with self._changed:
            self.lines += lines
            self.has_ended = end
            self._changed.notify_all()

    async def read(self, options: LogOptions) -> AsyncIterator[bytes]:
        if options.previous and self.previous is None:
            raise ApiError(400, "BadRequest", f'previous terminated container "{options.container}" not found')
        lines = self.previous if options.previous and self.previous is not None else self.lines
        known = len(lines)
        first = 0 if options.tail is None else known - min(options.tail, known)
        while True:
            for each in lines[first:]:
                if options.since is None or each[:_TIME_LENGTH].decode() >= options.since:
                    yield each
            first = len(lines)
            if not options.follow or options.previous or self.has_ended:
                return
            async with self._changed:
                await self._changed.wait_for(partial(self._is_longer, first))

    def _is_longer(self, known: int) -> bool:
        return len(self.lines) > known or self.has_ended


@dataclass
class LogResponse:
    """The response to a request for a log, as far as `read_log` reads it."""

    chunks: AsyncIterator[bytes]
    on_close: Callable[[], None]
    connection: None = None
    """aiohttp's own, of which there is none."""
    _rest: bytes = field(default=b"", init=False)

    @property
    def content(self) -> "LogResponse":
        return self

    async def read(self, limit: int) -> bytes:
        """Return what has come, `limit` bytes at most; nothing at the end."""
        chunk = self._rest or await anext(self.chunks, b"")
        self._rest = chunk[limit:]
        return chunk[:limit]

    def close(self) -> None:
        self.on_close()


def options_of(request: Request) -> LogOptions:
    """Return the options of a request for a log."""
    query = request.query
    tail = query["tailLines"]
    return LogOptions(
        query["container"] or "",
        follow=query["follow"] == "true",
        previous=query["previous"] == "true",
        tail=None if tail is None else int(tail),
        since=query["sinceTime"],
    )


def check_container(pod: Json, name: str) -> None:
    """Refuse to read the log of a container that the pod does not have."""
    if name not in [each["name"] for each in pod["spec"]["containers"]]:
        message = f"container {name} is not valid for pod {pod['metadata']['name']}"
        raise ApiError(400, "BadRequest", message)


async def empty(_options: LogOptions) -> AsyncIterator[bytes]:
    """Yield the log of a pod that has no node: nothing."""
    chunks: tuple[bytes, ...] = ()
    for chunk in chunks:
        yield chunk
