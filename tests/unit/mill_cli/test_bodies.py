"""Limits of what is read of an answer."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from mill_cli.connection.bodies import loads, read_bounded
from mill_cli.connection.transport import TransportError
from mill_cli.errors import CliError
from tests.support.http_answers import answer as response


def test_a_body_is_read_up_to_its_limit() -> None:
    assert read_bounded(response(b"abc", b"def"), 6) == b"abcdef"
    assert read_bounded(response(b"abc", b"def"), 5, cut=True) == b"abcde"
    with pytest.raises(CliError, match="HTTP 200: the answer has more than 5 bytes"):
        read_bounded(response(b"abc", b"def"), 5)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_what_counts_is_the_size_without_compression(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    packed = response(compress(b"a" * 1_000_000), headers={"content-encoding": encoding})
    with pytest.raises(CliError, match="more than 500,000 bytes"):
        read_bounded(packed, 500_000)
    assert read_bounded(response(compress(b"abc"), headers={"content-encoding": encoding}), 3) == b"abc"


def test_a_body_that_cannot_be_unpacked_went_wrong_on_the_way() -> None:
    with pytest.raises(TransportError):
        read_bounded(response(b"no gzip", headers={"content-encoding": "gzip"}), 5)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "9" * 5000])
def test_numbers_that_json_does_not_have(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number|digits"):
        loads(text)
