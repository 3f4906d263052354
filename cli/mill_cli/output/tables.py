"""Tables without borders: each cell has a space on both sides, as in the original."""

import textwrap
from collections.abc import Iterator, Sequence

from mill_cli.output.text import one_line

NARROWEST = (8, 5)
"""Minimum characters of a column that shrinks to fit a terminal: the first choice, and the second."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return the lines of a table; cells are wrapped if a width is given and they do not fit."""
    return "\n".join(line for row in table_rows(header, rows, width) for line in row)


def table_rows(header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> list[list[str]]:
    """Return the lines of the header and of each row."""
    cells = [list(header), *([one_line(each) for each in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        _shrink(widths, width)
    return [list(_lines(row, widths)) for row in cells]


def _shrink(widths: list[int], width: int) -> None:
    """Shrink the widest columns until a line fits."""
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
