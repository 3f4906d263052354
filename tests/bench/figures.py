"""Figures and how they are printed."""

import statistics
from collections.abc import Sequence

NAME_WIDTH = 62
FIGURE_WIDTH = 11


def percentile(figures: Sequence[float], share: float) -> float:
    """Return the smallest figure that so large a share of all does not exceed (nearest rank)."""
    ordered = sorted(figures)
    rank = -(-share * len(ordered) // 1)
    return ordered[max(0, int(rank) - 1)]


def spread(figures: Sequence[float]) -> tuple[float, float, float, float]:
    """Return median, 95th and 99th percentile, and maximum."""
    return statistics.median(figures), percentile(figures, 0.95), percentile(figures, 0.99), max(figures)


def heading(title: str, *columns: str) -> None:
    """Print the first line of a table."""
    print(f"\n{title:<{NAME_WIDTH}}" + "".join(f"{each:>{FIGURE_WIDTH}}" for each in columns), flush=True)


def row(name: str, *figures: float | str | None, digits: int = 1) -> None:
    """Print a line of a table."""
    cells = (each if isinstance(each, str) else "" if each is None else f"{each:.{digits}f}" for each in figures)
    print(f"{name:<{NAME_WIDTH}}" + "".join(f"{each:>{FIGURE_WIDTH}}" for each in cells), flush=True)
