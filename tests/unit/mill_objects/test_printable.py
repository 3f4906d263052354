"""Texts of others lose what a terminal obeys, and are cut before they are looked at."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_objects.printable import multi_line, one_line, printable, visible

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)
"""Halves of surrogate pairs, too, which JSON can bring."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ä 漢 🙂", "plain ä 漢 🙂"),
        ("\x1b[31mred\x1b[0m \x1b[2J\x1b[1;1Hhome", "red home"),
        ("\x1b]0;PWNED\x07title \x1b]8;;http://x\x1b\\link", "title link"),
        ("\x9b31mC1\x9d0;t\x9c", "C1"),
        ("\x1b(B\x1b7\x1b8\x1b=keypad", "keypad"),
        ("an open \x1b]0;title\nof two lines", "an open ]0;title\nof two lines"),
        ("nul\0 bell\a delete\x7f", "nul bell delete"),
        ("\u202egnp.exe\u2066x\u2069 zero\u200bwidth \ufeffbom", "gnp.exex zerowidth bom"),
        ("a\r\nb\rc\u2028d\u2029e\x85f\vg\fh", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("tab\tand\u00a0blank\u3000", "tab\tand blank "),
        ("struc\x08k over", "struk over"),
        ("half \ud800 private \ue000", "half � private �"),
        ("\x1bpassword=x", "password=x"),
    ],
)
def test_visible(text: str, expected: str) -> None:
    assert visible(text) == expected


def test_printable_shows_that_something_was_there() -> None:
    assert printable("a\x1b[31m\u202e\t\n\x9b\ud800") == "a�[31m�\t\n��"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("two\nlines\r\n  and\ttabs ", 100, "two lines and tabs"),
        ("ä" * 10, 5, "ää"),
        ("forged\n2026-01-01T00:00:00Z ERROR x", 100, "forged 2026-01-01T00:00:00Z ERROR x"),
        ("", 5, ""),
    ],
)
def test_one_line(text: str, limit: int, expected: str) -> None:
    assert one_line(text, limit) == expected


def test_multi_line_keeps_its_lines_and_the_beginning_or_the_end() -> None:
    assert multi_line("a\r\nb\x1b[0m\nc", 100) == "a\nb\nc"
    assert multi_line("ä" * 10, 5) == "ää"
    assert multi_line("x" * 10 + "end", 3, keep="end") == "end"


@given(ANY_TEXT, st.integers(1, 300))
def test_nothing_is_left_that_a_terminal_obeys(text: str, limit: int) -> None:
    line, lines, end = one_line(text, limit), multi_line(text, limit), multi_line(text, limit, keep="end")
    assert line.isprintable()
    for each in (lines, end):
        assert all(character.isprintable() or character in "\t\n" for character in each)
    for each in (line, lines, end):
        assert len(each.encode()) <= limit
        assert not {"Cc", "Cf", "Cs"} & {
            unicodedata.category(character) for character in each.replace("\n", "").replace("\t", "")
        }


@given(ANY_TEXT)
def test_twice_is_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert printable(printable(text)) == printable(text)
    assert one_line(one_line(text, 100), 100).strip() == one_line(text, 100).strip()


def test_no_length_costs_more_than_what_is_kept() -> None:
    text = "\x1b]0;\u202e" * 10_000_000
    began = time.perf_counter()
    one_line(text, 1000)
    multi_line(text, 1000, keep="end")
    assert time.perf_counter() - began < 3
