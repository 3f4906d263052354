"""Lines of logs, and a reader's position in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_gateway.core.log_lines import CUT, LINE_LIMIT, Line, Position, Progress, Splitter, encode, parse

SECOND = 1_771_063_201_000_000_000
"""2026-02-14T10:00:01Z."""
POD = "0a1b2c3d"


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"2026-02-14T10:00:01Z hello", Line(SECOND, "hello")),
        (b"2026-02-14T10:00:01.5Z hello world", Line(SECOND + 500_000_000, "hello world")),
        (b"2026-02-14T12:00:01.000000001+02:00 x", Line(SECOND + 1, "x")),
        (b"2026-02-14T10:00:01Z ", Line(SECOND, "")),
        (b"2026-02-14T10:00:01Z", Line(SECOND, "")),
        (b"2026-02-14T10:00:01Z a\r", Line(SECOND, "a")),
        (b"2026-02-14T10:00:01Z \xff", Line(SECOND, "\ufffd")),
        (b"1970-01-01T00:00:00.5+05:00 x", Line(500_000_000, "x")),
        (b"1969-12-31T23:59:59Z x", None),
        (b"0001-01-01T00:00:00+23:59 x", None),
        (b"9999-12-31T23:59:59-23:59 x", None),
        (b"2026-02-30T12:00:00Z x", None),
        (b"2026-01-31T12:00:00+99:99 x", None),
        (b"unable to retrieve container logs for containerd://1", None),
        (b"", None),
    ],
)
def test_a_line_begins_with_its_time(raw: bytes, line: Line | None) -> None:
    assert parse(raw) == line


@given(st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b" "))), st.data())
def test_lines_are_the_same_however_they_come_in_pieces(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    splitter, got = Splitter(), []
    while text:
        size = data.draw(st.integers(1, len(text)))
        got += splitter.feed(text[:size])
        text = text[size:]
    assert [*got, *splitter.end()] == lines


@pytest.mark.parametrize(
    "time", [b"2026-02-30T12:00:00Z", b"2026-13-01T12:00:00Z", b"0001-01-01T00:00:00Z", b"2026-01-31T24:60:60Z"]
)
def test_a_line_with_an_impossible_time_is_no_line(time: bytes) -> None:
    assert parse(time + b" text") is None


def test_a_line_without_an_end_is_bounded_and_the_next_one_whole() -> None:
    splitter = Splitter()
    for _ in range(100):
        assert list(splitter.feed(b"x" * 10_000)) == []
    cut, whole = splitter.feed(b"\nshort\n")
    assert (cut, whole) == (b"x" * LINE_LIMIT + CUT.encode(), b"short")


def test_an_event_has_the_shape_of_the_original_and_the_replica() -> None:
    event = encode(Line(SECOND + 999, "listening on :3000"), "web-0", "id").decode()
    assert event == (
        'data: {"alloc":"web-0","line":"listening on :3000","stream":"stdout","ts":"2026-02-14T10:00:01Z"}\r\n'
        "id: id\r\n\r\n"
    )
    assert json.loads(encode(Line(SECOND, "a\nb", previous=True), "w", "i").split(b"\r\n")[0][6:])["previous"] is True


LINES = [Line(SECOND + at, str(number)) for number, at in enumerate([0, 0, 0, 5, 5, 9])]


@pytest.mark.parametrize("read", range(len(LINES) + 1))
def test_a_resumed_reader_gets_each_line_once(read: int) -> None:
    """Also within lines of the very same time; Kubernetes gives the whole second again."""
    first = Progress()
    assert all(first.advance(POD, line) for line in LINES[:read])
    again = Progress.decode(first.encode()) if read else Progress()
    again.reopen(POD)
    assert [line for line in LINES if again.advance(POD, line)] == LINES[read:]


def test_replicas_have_positions_of_their_own() -> None:
    progress = Progress()
    progress.advance(POD, LINES[5])
    assert progress.advance("11111111", LINES[0]) is True
    read = Progress.decode(progress.encode())
    assert (read.position(POD), read.position("11111111")) == (Position(SECOND + 9, 1), Position(SECOND, 1))
    assert read.position("22222222") == Position(SECOND + 9 - Progress.LATE, 0), "what may have come late"
    assert progress.position("22222222") is None


def test_no_more_replicas_are_remembered_than_those_read_last() -> None:
    progress = Progress()
    for number in range(Progress.MOST + 10):
        progress.advance(f"{number:08x}", LINES[0])
    read = Progress.decode(progress.encode())
    assert read.position(f"{9:08x}") == Position(SECOND, 0)
    assert read.position(f"{Progress.MOST + 9:08x}") == Position(SECOND, 1)
    assert progress.position(f"{0:08x}") is not None, "while the stream is open"
    for number in range(Progress.KEPT):
        progress.advance(f"f{number:07x}", LINES[0])
    assert progress.position(f"{0:08x}") is None


def test_a_position_begins_at_the_second_before() -> None:
    assert Position(SECOND + 999_999_999, 1).since == "2026-02-14T10:00:00Z"
    assert Position(5, 1).since == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("text", ["x", "0a1b2c3d", "0a1b2c3d-1", "0a1b2c3d-1-1.", "0A1B2C3D-1-1", "0a1b2c3d-\u0661-1"])
def test_a_foreign_event_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no position in a log"):
        Progress.decode(text)


@pytest.mark.parametrize("read", range(1, 7))
def test_lines_out_of_the_order_of_their_times_come_once(read: int) -> None:
    """Lines of standard output and error get their times before their order."""
    lines = [Line(SECOND + at, str(number)) for number, at in enumerate([0, 5, 3, 5, 4, 9])]
    first = Progress()
    assert all(first.advance(POD, line) for line in lines[:read])
    again = Progress.decode(first.encode())
    again.reopen(POD)
    assert [line for line in lines if again.advance(POD, line)] == lines[read:]


def test_replicas_that_an_id_has_no_room_for_repeat_no_line() -> None:
    progress = Progress()
    for number in range(Progress.MOST + 10):
        progress.advance(f"{number:08x}", Line(SECOND + number, ""))
    read = Progress.decode(progress.encode())
    read.reopen(f"{9:08x}")
    assert not read.advance(f"{9:08x}", Line(SECOND + 9, "")), "it was read before those in the id"
    assert read.advance(f"{9:08x}", Line(SECOND + Progress.MOST, "new"))


def test_a_clock_that_is_set_back_hides_nothing() -> None:
    progress = Progress()
    lines = [Line(SECOND * at, "") for at in (100, 50, 51, 52)]
    assert all(progress.advance(POD, line) for line in lines)
    assert progress.position(POD) == Position(SECOND * 52, 1)
