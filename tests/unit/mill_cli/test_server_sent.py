"""Parsing of server-sent events, and the limit of one."""

import httpx
import pytest
from httpx_sse import EventSource

from mill_cli.connection import server_sent
from mill_cli.connection.server_sent import TooLong, parse_events

STREAMS = [
    b"data: a\ndata: b\n\n",
    b"event: done\r\ndata:x\r\nid: 7\r\n\r\n: ping\r\n\r\ndata: y\r\n\r\n",
    b"event: a\rdata:  two spaces\r\rdata: z\r\r",
    b"data\n\nevent: only\n\nid\ndata: 1\n\nid: a\0b\ndata: 2\n\n",
    b"\xef\xbb\xbfdata: after a mark\n\nretry: 5\nunknown: 6\ndata: 3\n\n",
    "data: ä\u2028\x0b\x1c ö\n\n".encode(),
    b"data: \xff\xe4\n\ndata: cut",
]


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_events_are_those_that_another_parser_finds(stream: bytes, size: int) -> None:
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    found = [(each.name, each.data, each.id) for each in parse_events(parts) if each.data]
    text = stream.decode("utf-8-sig", "replace")
    other = EventSource(httpx.Response(200, headers={"Content-Type": "text/event-stream"}, text=text))
    assert found == [(each.event, each.data, each.id) for each in other.iter_sse() if each.data]


def test_an_event_comes_as_soon_as_its_end_does() -> None:
    events = parse_events(iter([b"data: 1\r\n\r\nda", b"ta: 2\n", b"\n"]))
    assert next(events).data == "1"
    assert next(events).data == "2"


@pytest.mark.parametrize("end", ["\n\n", "\r\r", "\r\n\r\n"])
def test_events_may_be_many_but_none_without_end(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr(server_sent, "LONGEST_EVENT", 100)
    event = f"data: {'x' * 80}{end}".encode()
    many = [bytes([each]) for each in event * 5]
    assert [each.data for each in parse_events(many)] == ["x" * 80] * 5
    for endless in ([b"data: " + b"x" * 200], [b"x"] * 200, [b"data: x\n"] * 50, [b":\r\n"] * 60):
        with pytest.raises(TooLong):
            list(parse_events(endless))


def test_a_stream_is_utf_8_whatever_it_says() -> None:
    (event,) = parse_events(["\ufeffdata: ä".encode()[:-1], "ä".encode()[1:], b"\n\n"])
    assert event.data == "ä"
