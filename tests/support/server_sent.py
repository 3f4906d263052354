"""Server-sent events as the standard has them, of a stream that httpx-sse reads."""

from collections.abc import Iterator

from httpx_sse import EventSource, ServerSentEvent


def events(source: EventSource) -> Iterator[ServerSentEvent]:
    """Yield the events of a stream. What httpx-sse yields for a heartbeat has no data, and is none."""
    return (each for each in source.iter_sse() if each.data)
