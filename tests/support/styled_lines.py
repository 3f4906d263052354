"""Lines for a terminal as text, with the names of their styles in it."""

import re
from typing import Final

from mill_cli.output.cells import Line, paint

_CODES: Final = {
    "0": "/",
    "1": "bold",
    "1;31": "bold red",
    "1;32": "bold green",
    "2": "dim",
    "31": "red",
    "32": "green",
    "33": "yellow",
    "36": "cyan",
}


def with_styles(line: Line) -> str:
    """Return a line such as `<bold red>failed:</> no such tag`."""
    return re.sub(r"\x1b\[([\d;]+)m", lambda code: f"<{_CODES[code[1]]}>", paint(line, colored=True))
