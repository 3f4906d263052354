"""Parsing of server-sent events, by the rules of the HTML standard (9.2.6)."""

import codecs
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_EVENT: Final = 4 * 1024 * 1024
"""Maximum characters of an event; a log line has at most 64 Ki."""


class TooLong(Exception):
    """An event that exceeds the limit."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event as it was sent. Its data is empty for a comment after an id, such as a heartbeat."""

    name: str
    data: str
    id: str
    """The last id of the stream, sent with this event or before it."""


def parse_events(parts: Iterable[bytes]) -> Iterator[SentEvent]:
    """Yield the events of a stream: always UTF-8, with a limit for each event. Raise `TooLong`."""
    name, data, last_id = "", list[str](), ""
    for line in _lines(parts):
        if not line:
            if name or data or last_id:
                yield SentEvent(name or "message", "\n".join(data), last_id)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            last_id = value


def _lines(parts: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines as they arrive; an empty one ends an event. A last line without end is left out."""
    begun: list[str] = []
    size = 0
    for text in _texts(parts):
        *ended, rest = text.split("\n")
        for line in ended:
            size += len(line) + 1
            _require_short(size)
            begun.append(line)
            whole = "".join(begun)
            begun.clear()
            yield whole
            size = size if whole else 0
        size += len(rest)
        _require_short(size)
        if rest:
            begun.append(rest)


def _texts(parts: Iterable[bytes]) -> Iterator[str]:
    """Yield the text with line ends of one kind. A part that ends with CR keeps it until the next one, or the end."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")("replace"), translate=True)
    for part in parts:
        yield decoder.decode(part)
    yield decoder.decode(b"", final=True)


def _require_short(size: int) -> None:
    if size > LONGEST_EVENT:
        raise TooLong(f"an event of more than {LONGEST_EVENT:,} characters")
