"""Rows → what rich draws of them, and what stays."""

import re
from collections.abc import Sequence
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from mill_cli.output.frame import ASCII, UNICODE, Glyphs, frame, operation_lines, row_lines
from mill_cli.output.rows import Row


def console(columns: int = 80, lines: int = 24, *, colors: bool = False) -> Console:
    return Console(
        file=StringIO(),
        width=columns,
        height=lines,
        force_terminal=True,
        color_system="standard" if colors else None,
        _environ={},
    )


CODES = {
    "0": "/",
    "1": "bold",
    "1;31": "bold red",
    "2": "dim",
    "31": "red",
    "32": "green",
    "33": "yellow",
    "36": "cyan",
}


def lines(on: Console, *shown: RenderableType) -> list[str]:
    """Return the lines that are written, with the names of colors, and pieces of a line that look the same as one."""
    on.print(*shown, sep="\n")
    text = re.sub(r"\x1b\[([\d;]+)m", lambda code: f"<{CODES[code[1]]}>", on.file.getvalue())
    return [each.rstrip() for each in re.sub(r"(?<=<dim>)([^<]*)</><dim>", r"\1", text).splitlines()]


def drawn(
    rows: Sequence[Row], notices: Sequence[str], on: Console, now: float = 0.0, glyphs: Glyphs = UNICODE
) -> list[str]:
    return lines(on, frame(rows, notices, on.size, glyphs, now))


WEB = Row("web", 0.0, text="starting", healthy=1, desired=2)
BROKEN = Row("broken", 0.0, 3.0, "failed: no such tag", "bad", 0, 10)


def test_columns_are_aligned_and_the_clock_of_a_verdict_stands() -> None:
    assert drawn([WEB, BROKEN], [], console(), 83.0) == [
        "⠋ web     ━━━━━─────   1/2  1m23s  starting",
        "✗ broken  ──────────  0/10     3s  failed: no such tag",
    ]


def test_verdicts_and_causes_have_colors() -> None:
    assert drawn([WEB, BROKEN], ["lost"], console(colors=True), 5.15) == [
        "<cyan>⠙</> web     <cyan>━━━━━</><dim>─────</>   1/2  <dim> 5s  </>starting",
        "<red>✗</> broken  <dim>──────────</>  0/10  <dim> 3s  </><red>failed: no such tag</>",
        "<cyan>⠙</> <yellow>lost</>",
    ]


@pytest.mark.parametrize("columns", [28, 40, 41, 58, 59, 80, 131])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_row_is_one_line(columns: int, glyphs: Glyphs) -> None:
    rows = [
        Row("a" * 63, 0.0, text="words " * 40, mood="suspect", healthy=100, desired=1000),
        Row("漢" * 63, 0.0, text="漢字" * 80),
        Row("e\u0301" * 30, 0.0, text="e\u0301" * 200),
    ]
    seen = drawn(rows, ["notice " * 30], console(columns), 4000.0, glyphs)
    assert max(map(cell_len, seen)) <= columns
    assert [each.endswith(glyphs.end) for each in seen] == [True] * 4
    assert all(each.isascii() for each in seen) == (glyphs is ASCII)


def test_a_cut_text_ends_with_a_character_of_the_terminal() -> None:
    row = Row("web", 0.0, text="one two three four five")
    assert drawn([row], [], console(31)) == ["⠋ web       one two three four…"]
    assert drawn([row], [], console(31), glyphs=ASCII) == ["- web       one two three fo..."]
    assert drawn([Row("web", 0.0, text="漢字漢字")], [], console(19)) == ["⠋ web       漢字漢…"]


@pytest.mark.parametrize("height", range(2, 12))
def test_the_frame_leaves_a_line(height: int) -> None:
    rows = [Row(f"s{at}", 0.0) for at in range(9)]
    seen = drawn(rows, ["notice"] if height > 3 else [], console(lines=height))
    assert len(seen) == min(height - 1, 9 + (height > 3))
    assert any("more" in each for each in seen) == (height < 11)


def test_services_without_a_verdict_are_shown_first_in_a_small_terminal() -> None:
    seen = drawn([BROKEN, WEB, Row("api", 0.0)], [], console(lines=3))
    assert seen == ["⠋ web     ━━━━━─────   1/2   0s  starting", "  and 2 more"]  # the columns are as wide as all need


def test_nothing_is_drawn_of_no_rows() -> None:
    assert "".join(drawn([], [], console())) == ""


def test_a_failure_stays_with_all_that_is_known() -> None:
    row = Row("broken", 0.0, mood="bad", lines=["scheduled on node-1", "failed: no such tag, or it is not for us"])
    row.more = [
        "    | said the runtime, and went on about it for long",
        "    |",
        "    | \tline 2",
        "    help: push the tag, then go on and deploy again",
        "    code: NoTag",
    ]
    on = console(40, colors=True)
    assert lines(on, *row_lines(row, 6, on)) == [
        "  broken: scheduled on node-1",
        "  broken: <bold red>failed:</> no such tag, or it is",
        "          not for us",
        "<dim>    | said the runtime, and went on</>",
        "<dim>    |   about it for long</>",
        "<dim>    | </>",
        "<dim>    |         line 2</>",
        "    <bold>help:</> push the tag, then go on",
        "          and deploy again",
        "<dim>    code: NoTag</>",
    ]
    on = console(colors=True)
    assert lines(on, *operation_lines("failed: superseded", on)) == ["  <bold red>failed:</> superseded"]


def test_a_service_may_be_called_anything() -> None:
    on = console(colors=True)
    assert lines(on, *row_lines(Row("failed", 0.0, lines=["healthy"]), 6, on)) == ["  failed: <green>healthy</>"]
    on = console()
    assert lines(on, *row_lines(Row("[red]:tada:", 0.0, lines=["healthy"]), 3, on)) == ["  [red]:tada:: healthy"]


def test_a_long_text_continues_below_its_name() -> None:
    on = console(40)
    row = Row("a-long-name-for-a-service", 0.0, lines=["failed: one two three four five six seven"])
    assert lines(on, *row_lines(row, 25, on)) == [
        "  a-long-name-for-a-service: failed:",
        "    one two three four five six seven",
    ]
    assert max(map(cell_len, lines(on, *row_lines(Row("漢" * 30, 0.0, lines=["漢字" * 30]), 60, on)))) <= 40
