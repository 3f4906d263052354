"""What a terminal shows of rows while a rollout is in progress, at any size."""

from collections.abc import Sequence

import pytest

from mill_cli.output.cells import line_width, paint
from mill_cli.output.frame import Shown, frame
from mill_cli.output.glyphs import ASCII, UNICODE, Glyphs, glyphs
from mill_cli.output.rows import Row
from tests.support.styled_lines import with_styles


def drawn(
    rows: Sequence[Row],
    size: tuple[int, int] = (80, 24),
    *,
    notices: Sequence[str] = (),
    now: float = 0.0,
    glyphs: Glyphs = UNICODE,
) -> list[str]:
    lines = frame(Shown(rows, notices, now, 0.0), size, glyphs)
    assert max(map(line_width, lines), default=0) <= size[0]
    return [paint(each, colored=False) for each in lines]


def row(name: str, kind: str = "starting", text: str = "starting", **more: float) -> Row:
    made = Row(name, 0.0, text=text, kind=kind)
    for field, value in more.items():
        setattr(made, field, value)
    return made


WEB = row("web", healthy=1, desired=2)
BROKEN = row("broken", "failed", "no such tag", until=3.0, healthy=0, desired=10)
ONE = row("one", "healthy", "healthy", until=2.0, healthy=1, desired=1)


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (
            120,
            [
                "⠋ 1 healthy · 1 failed · 1 starting · 1m23s",
                "✗ broken  ──────────  0/10     3s  no such tag",
                "⠋ web     ━━━━━─────   1/2  1m23s  starting",
                "✓ one                  1/1     2s  healthy",
            ],
        ),
        (
            80,
            [
                "⠋ 1 healthy · 1 failed · 1 starting · 1m23s",
                "✗ broken  0/10     3s  no such tag",
                "⠋ web      1/2  1m23s  starting",
                "✓ one      1/1     2s  healthy",
            ],
        ),
        (
            40,
            [
                "⠋ 1 healthy · 1 failed · 1 starting",
                "✗ broken  0/10  no such tag",
                "⠋ web      1/2  starting",
                "✓ one      1/1  healthy",
            ],
        ),
    ],
)
def test_columns_are_aligned_and_failures_come_first(columns: int, lines: list[str]) -> None:
    assert drawn([WEB, ONE, BROKEN], (columns, 24), now=83.0) == lines


def test_services_of_one_replica_have_no_count_and_no_bar() -> None:
    rows = [ONE, row("two", "waiting", "waiting for one", desired=1)]
    assert drawn(rows, (120, 24), now=2.0) == [
        "⠋ 1 healthy · 1 waiting · 2s",
        "✓ one   2s  healthy",
        "⠋ two   2s  waiting for one",
    ]


def test_one_service_needs_no_header() -> None:
    assert drawn([WEB]) == ["⠋ web  1/2   0s  starting"]


def test_a_long_name_leaves_room_for_the_text() -> None:
    rows = [
        row(
            "a-service-with-a-name-that-is-as-long-as-kubernetes-allows-eu",
            "failed",
            "image pull failed: tag not found",
        ),
        row("web"),
    ]
    assert drawn(rows, (59, 24))[1:] == [
        "✗ a-service-…ws-eu  image pull failed: tag not found",
        "⠋ web               starting",
    ]
    assert drawn(rows, (139, 24))[1].startswith("✗ a-service-with-a-name…-allows-eu   0s  image")


def test_every_kind_has_its_style() -> None:
    rows = [
        BROKEN,
        WEB,
        row("slow", "suspect", "not ready: HTTP 500"),
        row("ok", "settling", "healthy"),
        row("done", "healthy", "healthy", until=0.0),
    ]
    shown = Shown(rows, ["lost"], 5.15, 0.0)
    assert [with_styles(each) for each in frame(shown, (80, 24), UNICODE)] == [
        (
            "<cyan>⠙</> <green>1 healthy</><dim> · </><green>1 settling</><dim> · </><red>1 failed</><dim> · </>"
            "<yellow>1 suspect</><dim> · </>1 starting<dim> · 5s</>"
        ),
        "<red>✗</> broken  0/10  <dim> 3s  </><red>no such tag</>",
        "<cyan>⠙</> web      1/2  <dim> 5s  </>starting",
        "<cyan>⠙</> slow          <dim> 5s  </><yellow>not ready: HTTP 500</>",
        "<cyan>⠙</> ok            <dim> 5s  </><green>healthy, settling</>",
        "<green>✓</> done          <dim> 0s  </><green>healthy</>",
        "<cyan>⠙</> <yellow>lost</>",
    ]


@pytest.mark.parametrize("columns", [28, 40, 41, 68, 69, 80, 88, 89, 131])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_row_is_one_line(columns: int, glyphs: Glyphs) -> None:
    rows = [
        row("a" * 63, "suspect", "text " * 40, healthy=100, desired=1000),
        row("漢" * 63, text="漢字" * 80),
        row("e\u0301" * 30, text="e\u0301" * 200),
    ]
    lines = drawn(rows, (columns, 24), notices=["notice " * 30], now=4000.0, glyphs=glyphs)
    assert len(lines) == 5
    assert [each.endswith(glyphs.end) for each in lines[1:]] == [True] * 4
    assert all(each.isascii() for each in lines) == (glyphs is ASCII)


@pytest.mark.parametrize("height", range(2, 14))
def test_the_frame_leaves_a_line(height: int) -> None:
    lines = drawn([row(f"s{at}") for at in range(9)], (80, height), notices=["notice"] if height > 3 else [])
    assert len(lines) == min(height - 1, 9 + 1 + 1)
    assert any("more" in each for each in lines) == (height < 12)


SERVICES = [row(f"s{at}", kind, kind) for at, kind in enumerate(["healthy", "starting", "failed", "suspect"] * 3)]


@pytest.mark.parametrize(
    ("height", "kinds", "last"),
    [
        (24, ["failed"] * 3 + ["healthy", "starting", "suspect"] * 3, None),
        (9, ["failed"] * 3 + ["suspect"] * 3, "  and 6 more (3 healthy · 3 starting)"),
        (5, ["failed"] * 2, "  and 10 more (3 healthy · 1 failed · 3 suspect · 3 starting)"),
        (3, ["failed"], "  and 11 more (3 healthy · 2 failed · 3 suspect · 3 starting)"),
    ],
)
def test_no_failure_is_hidden_where_not_all_rows_have_room(height: int, kinds: list[str], last: str | None) -> None:
    lines = drawn(SERVICES, (80, height))
    if height >= 5:
        assert lines.pop(0) == "⠋ 3 healthy · 3 failed · 3 suspect · 3 starting · 0s"
    if last is not None:
        assert lines.pop() == last
    assert [each.split()[-1] for each in lines] == kinds


def test_nothing_is_drawn_of_no_rows() -> None:
    assert drawn([]) == []
    assert drawn([], notices=["waiting for the operator (3s)"]) == ["⠋ waiting for the operator (3s)"]


@pytest.mark.parametrize(("encoding", "found"), [("utf-8", UNICODE), ("UTF-8", UNICODE), ("ascii", ASCII)])
def test_glyphs_are_those_of_the_encoding(encoding: str, found: Glyphs) -> None:
    assert glyphs(encoding) is found
