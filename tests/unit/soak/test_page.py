"""The page of the soak's counts."""

from tests.soak import exits
from tests.soak.cases import Counted
from tests.soak.exits import Early, Verdict
from tests.soak.page import Section, with_section

PAGE = """# Title

Introduction.
"""


def _section(heading: str, measured: str) -> Section:
    return Section(heading, "Explanation.", ("what", "n"), [["a", 1]], measured)


def test_a_section_replaces_the_one_with_its_heading_and_keeps_the_others() -> None:
    page = PAGE
    for heading, measured in (("One", "Yesterday."), ("Two", "Yesterday."), ("One", "Today.")):
        page = with_section(page, _section(heading, measured))
    assert (
        page
        == """# Title

Introduction.

## One

Explanation.

| what | n |
| --- | --- |
| a | 1 |

Today.

## Two

Explanation.

| what | n |
| --- | --- |
| a | 1 |

Yesterday.
"""
    )


def test_only_what_was_measured_is_counted() -> None:
    counted = [
        Counted(Early(5, check=False, update=True), Verdict(code=0, lost=2)),
        Counted(Early(5, check=False, update=True), Verdict(code=1, lost=0)),
        Counted(Early(5, check=True, update=False), Verdict(code=3, lost=0)),
    ]
    rows = {row[0]: row[1:] for row in exits.section(counted, "Today.").rows}
    assert rows["5 s"] == ["-", "0 of 1", "1 of 2", "-", "1 of 3", "2 of 4"]
    assert rows["9 s"] == ["-"] * 6
