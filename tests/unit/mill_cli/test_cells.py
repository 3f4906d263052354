"""How wide a text is on a terminal, and where it is cut or wrapped."""

import pytest

from mill_cli.output.cells import Line, cut, cut_middle, head, line_width, pad, paint, width, wrap


@pytest.mark.parametrize(
    ("text", "cells"),
    [("", 0), ("web", 3), ("漢字", 4), ("e\u0301t\u0301", 2), ("é…━✓", 4), ("\N{FULLWIDTH LATIN SMALL LETTER W}", 2)],
)
def test_width(text: str, cells: int) -> None:
    assert width(text) == cells


@pytest.mark.parametrize(
    ("text", "room", "short"),
    [
        ("one two", 7, "one two"),
        ("one two", 6, "one t…"),
        ("one two", 5, "one…"),
        ("one two", 1, "…"),
        ("one two", 0, ""),
        ("one two", -3, ""),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字…"),
    ],
)
def test_cut(text: str, room: int, short: str) -> None:
    assert cut(text, room, "…") == short
    assert width(short) <= max(0, room)


@pytest.mark.parametrize(
    ("name", "room", "short"),
    [
        ("worker", 6, "worker"),
        ("shop-payment-worker-eu", 14, "shop-paym…r-eu"),
        ("shop-payment-worker-us", 14, "shop-paym…r-us"),
        ("shop-payment-worker-us", 3, "sh…"),
        ("shop-payment-worker-us", 1, "…"),
        ("漢" * 20, 10, "漢漢漢…漢"),
    ],
)
def test_names_that_differ_at_their_ends_stay_different(name: str, room: int, short: str) -> None:
    assert cut_middle(name, room, "…") == short
    assert width(short) <= room


def test_pad_and_head() -> None:
    assert (pad("漢", 4), pad("long", 2)) == ("漢  ", "long")
    assert (head("漢字", 3), head("web", 2), head("e\u0301e", 1), head("web", -1)) == ("漢", "we", "e\u0301", "")


def wrapped(line: Line, first: str, rest: str, columns: int) -> list[str]:
    lines = list(wrap(line, ((first, ""),), ((rest, ""),), columns))
    assert max(map(line_width, lines)) <= columns
    return [paint(each, colored=False) for each in lines]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["a:"]),
        ("one two three", ["a: one two", "   three"]),
        ("  one  two three", ["a:   one", "   two", "   three"]),
        ("1234567890", ["a: 1234567", "   890"]),
        ("one 1234567890", ["a: one", "   1234567", "   890"]),
        ("漢字漢字漢字", ["a: 漢字漢", "   字漢字"]),
        ("x\ty", ["a: x", "   y"]),
    ],
)
def test_wrap(text: str, lines: list[str]) -> None:
    assert wrapped(((text, ""),), "a: ", "   ", 10) == lines


def test_a_text_is_wrapped_even_where_its_prefix_fills_the_line() -> None:
    lines = wrap((("漢x", ""),), (("abc", ""),), (("ab", ""),), 3)
    assert [paint(each, colored=False) for each in lines] == ["abc漢", "abx"]


def test_styles_stay_with_their_words() -> None:
    line = (("failed:", "bold red"), (" one two", "red"))
    assert [paint(each, colored=True) for each in wrap(line, (), (("  ", "dim"),), 11)] == [
        "\x1b[1;31mfailed:\x1b[0m\x1b[31m one\x1b[0m",
        "\x1b[2m  \x1b[0m\x1b[31mtwo\x1b[0m",
    ]
