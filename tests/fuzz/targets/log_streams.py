"""Logs on their way from the kubelet to a reader, and server-sent events on their way to the command line."""

import json
import random
from typing import Any, Final

import httpx

from mill_cli.connection.client import Gateway
from mill_cli.connection.server_sent import parse_events
from mill_cli.connection.streams import EventStream, Request
from mill_cli.options import Options
from mill_gateway.core.log_lines import CUT, LINE_LIMIT, Progress, Splitter, encode, nothing_found, parse
from tests.fuzz.target import Target
from tests.fuzz.texts import chunks, mutated, odd, text

_TIMES: Final = (
    *("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+02:00", "2026-99-99T99:99:99Z"),
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-31T12:00:00+99:99"),
    *("1969-12-31T23:59:59Z", "2026-02-30T12:00:00Z", "2026-01-31T12:00:60Z", "2026-01-31T12:00:00.1234567890Z"),
)
_EVENT_WORDS: Final = (
    *(
        "event: progress\n",
        "event:done\r\n",
        "data: ",
        'data: {"service": "web", "phase": "healthy"}\n',
        "data\n",
        "\n\n",
    ),
    *(
        "\r\n\r\n",
        "\r\r",
        "id: 8ffa93a4.2.7\n",
        "id: \0\n",
        "id: é\n",
        "retry: 9\n",
        f"retry: {'9' * 5000}\n",
        ": ping\n",
    ),
    *(
        '{"a":',
        "[" * 50,
        "NaN",
        "\r",
        "\n",
        ":",
        "\ufeff",
        "event: error\n",
        "data: [1]\n\n",
        'data: {"line": "x"}\n\n',
    ),
)


def _log(rng: random.Random) -> list[bytes]:
    lines = [f"{rng.choice(_TIMES)} {text(rng)}" for _ in range(rng.randint(0, 5))]
    if rng.random() < 0.01:
        lines.append("x" * rng.choice((LINE_LIMIT - 1, LINE_LIMIT, LINE_LIMIT + 1, 3 * LINE_LIMIT)))
    data = "\n".join(lines).encode()
    return chunks(rng, data if rng.random() < 0.7 else mutated(rng, data, [data]))


def _log_lines(parts: list[bytes]) -> None:
    """Lines are the same in whatever chunks, no longer than the limit; and each one is told or left out."""
    splitter = Splitter()
    lines = [line for part in parts for line in splitter.feed(part)] + list(splitter.end())
    whole = b"".join(parts).split(b"\n")
    expected = [each if len(each) <= LINE_LIMIT else each[:LINE_LIMIT] + CUT.encode() for each in whole]
    assert lines == (expected if expected[-1] else expected[:-1])
    progress = Progress()
    for raw in lines:
        if (line := parse(raw)) is not None:
            new = progress.advance("8ffa93a4", line)
            assert new in (True, False)
            told = encode(line, "web-0", progress.encode())
            assert told.endswith(b"\r\n\r\n")
            assert told.count(b"\n") == 3
            assert json.loads(told.split(b"\r\n")[0].removeprefix(b"data: "))["line"] == line.text


def _position_text(rng: random.Random) -> str:
    known = ("8ffa93a4-dkq1zz0a1b2-1", "00000000-0-0", "8ffa93a4-zzzzzzzzzzzzz-zzzzzz", ".", "-", "8ffa93a4", "z", "1")
    return text(rng, known, 8) if rng.random() < 0.8 else ".".join(rng.choices(known[:3], k=rng.randint(1, 60)))


def _positions(value: str) -> None:
    """What a client sends back is a position that can be read from and sent again, or refused."""
    try:
        progress = Progress.decode(value)
    except ValueError:
        return
    for pod in ("8ffa93a4", "11111111"):
        position = progress.position(pod)
        assert position is not None
        assert len(position.since) == len("2026-01-31T12:00:00Z")
    again = Progress.decode(progress.encode())
    assert again.position("8ffa93a4") == progress.position("8ffa93a4")


def _names(value: str) -> None:
    """Whatever is asked for by name: the answer is one event."""
    told = nothing_found(value)
    assert told.count(b"\n") == 3
    assert told.count(b"\r") == 3


def _events(rng: random.Random) -> list[bytes]:
    made = text(rng, _EVENT_WORDS, 20)
    data = made.encode("utf-8", "surrogatepass")
    return chunks(rng, data if rng.random() < 0.7 else mutated(rng, data, [data]))


def _read(parts: list[bytes]) -> tuple[list[tuple[str, str, Any]], str | None]:
    stream = EventStream(Gateway(Options()), Request("GET", "/"), ends=False)
    found = [(each.name, each.text, each.data) for each in stream._events(parse_events(parts))]
    return found, stream._last_id


def _client(parts: list[bytes]) -> None:
    """Events are the same however they are cut into chunks; and what is sent back of them can be a header."""
    found, last_id = _read(parts)
    whole = b"".join(parts)
    assert _read([whole] if whole else []) == (found, last_id)
    httpx.Headers({"Last-Event-ID": last_id or ""})
    assert last_id is None or (last_id.isascii() and last_id.isprintable())
    for _, _, data in found:
        json.dumps(data, allow_nan=False)


TARGETS: Final = (
    Target("log-lines", _log, _log_lines),
    Target("log-positions", _position_text, _positions),
    Target("log-names", lambda rng: text(rng, (odd(rng),)), _names),
    Target("event-stream", _events, _client),
)
