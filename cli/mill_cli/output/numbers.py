"""Numbers in tables, formatted as in the original mill."""

from collections.abc import Callable
from typing import Any

from mill_api.quantities import show_size


def cpu(cores: float) -> str:
    """Format CPU cores: `4`, or with one decimal `0.2`."""
    return str(int(cores)) if float(cores).is_integer() else f"{cores:.1f}"


def size(count: int) -> str:
    """Format bytes: `1000 B`, `488.3 MiB`."""
    return show_size(count)


def used(total: float, available: float, show: Callable[[Any], str]) -> str:
    """Format used and total amounts with `show`: `0.2/4`."""
    return f"{show(total - available)}/{show(total)}"


def seconds(elapsed: float) -> str:
    """Format a duration: `4.2s`."""
    return f"{elapsed:.1f}s"
