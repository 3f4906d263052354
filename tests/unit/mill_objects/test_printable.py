"""Foreign texts lose their terminal sequences, and are cut before they are read."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mill_objects.printable import multi_line, one_line, printable, visible

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)
"""Characters that include halves of surrogate pairs, which JSON can contain."""


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
def test_invisible_characters_are_removed(text: str, expected: str) -> None:
    assert visible(text) == expected


def test_printable_replaces_what_visible_removes() -> None:
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
def test_a_text_becomes_one_line_within_the_limit(text: str, limit: int, expected: str) -> None:
    assert one_line(text, limit) == expected


def test_multi_line_keeps_its_lines_and_the_beginning_or_the_end() -> None:
    assert multi_line("a\r\nb\x1b[0m\nc", 100) == "a\nb\nc"
    assert multi_line("ä" * 10, 5) == "ää"
    assert multi_line("x" * 10 + "end", 3, keep="end") == "end"


@given(ANY_TEXT, st.integers(1, 300))
def test_no_terminal_sequence_is_left(text: str, limit: int) -> None:
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
def test_a_second_application_changes_nothing(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert printable(printable(text)) == printable(text)
    assert one_line(one_line(text, 100), 100).strip() == one_line(text, 100).strip()


def test_a_long_text_costs_no_more_than_the_kept_part() -> None:
    text = "\x1b]0;\u202e" * 10_000_000
    began = time.perf_counter()
    one_line(text, 1000)
    multi_line(text, 1000, keep="end")
    assert time.perf_counter() - began < 3
