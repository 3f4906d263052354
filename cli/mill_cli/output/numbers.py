"""Numbers in tables, formatted as in the original mill."""

import math
from collections.abc import Callable
from typing import Any

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def cpu(cores: float) -> str:
    """Format CPU cores: `4`, or with one decimal `0.2`."""
    return str(int(cores)) if float(cores).is_integer() else f"{cores:.1f}"


def size(count: int) -> str:
    """Format bytes: `1000 B`, `488.3 MiB`."""
    if count < 1024:
        return f"{count} B"
    power = min(int(math.log(count, 1024)), len(_UNITS))
    if 1024**power > count:  # the logarithm is rounded
        power -= 1
    return f"{count / 1024**power:.1f} {_UNITS[power - 1]}"


def used(total: float, available: float, show: Callable[[Any], str]) -> str:
    """Format used and total amounts with `show`: `0.2/4`."""
    return f"{show(total - available)}/{show(total)}"


def seconds(elapsed: float) -> str:
    """Format a duration: `4.2s`."""
    return f"{elapsed:.1f}s"
