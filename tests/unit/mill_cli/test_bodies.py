"""Limits of what is read of an answer and of a stream."""

import gzip

import httpx
import pytest

from mill_cli.connection import bodies
from mill_cli.connection.bodies import EventText, TooLong, loads, read_bounded
from mill_cli.errors import CliError


def response(*parts: bytes, **headers: str) -> httpx.Response:
    return httpx.Response(200, headers=headers, content=iter(parts))


def test_a_body_is_read_up_to_its_limit() -> None:
    assert read_bounded(response(b"abc", b"def"), 6) == b"abcdef"
    assert read_bounded(response(b"abc", b"def"), 5, cut=True) == b"abcde"
    with pytest.raises(CliError, match="HTTP 200: the answer has more than 5 bytes"):
        read_bounded(response(b"abc", b"def"), 5)


def test_what_counts_is_the_size_without_compression() -> None:
    packed = response(gzip.compress(b"a" * 1_000_000), **{"Content-Encoding": "gzip"})
    with pytest.raises(CliError, match="more than 500,000 bytes"):
        read_bounded(packed, 500_000)


def test_a_body_that_cannot_be_unpacked_went_wrong_on_the_way() -> None:
    with pytest.raises(httpx.TransportError):
        read_bounded(response(b"no gzip", **{"Content-Encoding": "gzip"}), 5)


@pytest.mark.parametrize("end", ["\n\n", "\r\r", "\r\n\r\n"])
def test_events_may_be_many_but_none_without_end(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr(bodies, "LONGEST_EVENT", 100)
    event = f"data: {'x' * 80}{end}".encode()
    many = [bytes([each]) for each in event * 5]
    assert "".join(EventText(response(*many)).iter_text()).encode() == event * 5
    for endless in ([b"data: " + b"x" * 200], [b"x"] * 200, [b"data: x\n"] * 50, [b":\r\n"] * 50):
        with pytest.raises(TooLong):
            list(EventText(response(*endless)).iter_text())


def test_a_stream_is_utf_8_whatever_it_says() -> None:
    odd = response("\ufeffä".encode()[:4], "ä".encode()[1:], **{"Content-Type": "text/event-stream; charset=utf-7"})
    assert "".join(EventText(odd).iter_text()) == "ä"


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "9" * 5000])
def test_numbers_that_json_does_not_have(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number|digits"):
        loads(text)
