"""Bodies of answers: how much is read of what a gateway, or whoever answers in its place, says; and what is JSON."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from mill_cli.errors import CliError, Exit

LONGEST_ANSWER: Final = 256 * 1024 * 1024
"""Bytes of an answer: a list of 100,000 things is smaller."""
LONGEST_REFUSAL: Final = 1024 * 1024
"""Bytes of an answer that is an error: all problems of a file are smaller."""
LONGEST_EVENT: Final = 4 * 1024 * 1024
"""Characters of a server-sent event; a line of a log has 64 Ki at most."""
_ENDS: Final = ("\n\n", "\r\r", "\n\r")
"""What an empty line looks like, whichever way its lines end."""


class TooLong(Exception):
    """An event that does not end."""


def loads(text: str | bytes) -> Any:
    """Read JSON, without the numbers that Python reads and JSON does not have. Raise `ValueError`, `RecursionError`."""
    return json.loads(text, parse_constant=_no_number)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def read_bounded(response: httpx.Response, limit: int, *, cut: bool = False) -> bytes:
    """Return the body of an answer, as it is without compression.

    One of more bytes is cut there if that may be; otherwise raise `CliError`. Raise `httpx.TransportError`.
    """
    parts: list[bytes] = []
    size = 0
    for part in _parts(response):
        parts.append(part)
        size += len(part)
        if size > limit:
            if not cut:
                raise CliError(Exit.FAILED, f"HTTP {response.status_code}: an answer of more than {limit:,} bytes")
            break
    return b"".join(parts)[:limit]


class EventText:
    """The text of a stream, for `httpx_sse.EventSource`: always UTF-8, and no event of it without end."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.headers = response.headers

    def iter_text(self) -> Iterator[str]:
        """Yield the text as it comes. Raise `TooLong`, `httpx.TransportError`."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        size, before = 0, ""
        for part in _parts(self._response):
            text = decoder.decode(part)
            seen = before + text
            end = max(seen.rfind(each) for each in _ENDS)
            size = len(seen) - end if end >= 0 else size + len(text)
            if size > LONGEST_EVENT:
                raise TooLong(f"an event of more than {LONGEST_EVENT:,} characters")
            before = seen[-1:]
            if text:
                yield text


def _parts(response: httpx.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes()
    except httpx.DecodingError as error:  # which httpx does not count among what goes wrong on the way
        raise httpx.RemoteProtocolError(str(error)) from error
