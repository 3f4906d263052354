"""Bodies of answers: limits on what is read of them, and strict JSON."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from mill_cli.errors import CliError, Exit

LONGEST_ANSWER: Final = 256 * 1024 * 1024
"""Maximum bytes of an answer: a list of 100,000 objects is smaller."""
LONGEST_REFUSAL: Final = 1024 * 1024
"""Maximum bytes of an error: all problems of a file are smaller."""
LONGEST_EVENT: Final = 4 * 1024 * 1024
"""Maximum characters of an event; a log line has at most 64 Ki."""
_ENDS: Final = ("\n\n", "\r\r", "\n\r")
"""Ends of an event: an empty line, with each kind of line end."""


class TooLong(Exception):
    """An event that exceeds the limit."""


def loads(text: str | bytes) -> Any:
    """Parse JSON, without Python's NaN and Infinity. Raise `ValueError`, `RecursionError`."""
    return json.loads(text, parse_constant=_no_number)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def read_bounded(response: httpx.Response, limit: int, *, cut: bool = False) -> bytes:
    """Return the uncompressed body of an answer. Raise `httpx.TransportError`.

    A body of more than `limit` bytes is cut there with `cut`; otherwise raise `CliError`.
    """
    parts: list[bytes] = []
    size = 0
    for part in _parts(response):
        parts.append(part)
        size += len(part)
        if size > limit:
            if not cut:
                message = f"HTTP {response.status_code}: the answer has more than {limit:,} bytes"
                raise CliError(Exit.FAILED, message, kind="unexpected_answer")
            break
    return b"".join(parts)[:limit]


class EventText:
    """Text of a stream for `httpx_sse.EventSource`: always UTF-8, with a limit for each event."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.headers = response.headers

    def iter_text(self) -> Iterator[str]:
        """Yield the text as it arrives. Raise `TooLong`, `httpx.TransportError`."""
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
    except httpx.DecodingError as error:  # httpx does not make it a TransportError
        raise httpx.RemoteProtocolError(str(error)) from error
