"""Tables without lines: each cell has a space on both sides, so that columns are two apart."""

import textwrap
from collections.abc import Iterator, Sequence

from mill_cli.output.text import one_line

NARROWEST = (8, 5)
"""Characters of a column that is made narrower to fit a terminal; and if that does not do."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return a table's lines; the cells are wrapped if a width is given and they do not fit."""
    cells = [list(header), *([one_line(each) for each in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        _shrink(widths, width)
    return "\n".join(line for row in cells for line in _lines(row, widths))


def _shrink(widths: list[int], width: int) -> None:
    """Take from the widest columns what a line has too much."""
    for narrowest in NARROWEST:
        while sum(widths) + 2 * len(widths) > width and max(widths) > narrowest:
            widths[widths.index(max(widths))] -= 1


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    wrapped = [
        textwrap.wrap(cell, width, break_on_hyphens=False) or [""] for cell, width in zip(row, widths, strict=True)
    ]
    for at in range(max(map(len, wrapped))):
        parts = [cell[at] if at < len(cell) else "" for cell in wrapped]
        yield "".join(f" {part:<{width}} " for part, width in zip(parts, widths, strict=True))
