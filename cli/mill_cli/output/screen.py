"""Where output goes: a terminal, or something that is read later."""

import json
import os
import shutil
import sys
from typing import Any

_BOLD, _RED, _GREEN, _YELLOW, _DIM, _RESET = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[2m", "\x1b[0m"
STYLES = {"bold": _BOLD, "red": _RED, "green": _GREEN, "yellow": _YELLOW, "dim": _DIM}


def interactive() -> bool:
    """Tell whether a person looks on as it is printed."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def colored() -> bool:
    """Tell whether colours are wanted on standard output."""
    return interactive() and not os.environ.get("NO_COLOR")


def colored_errors() -> bool:
    """Tell whether colours are wanted on standard error."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def paint(text: str, style: str) -> str:
    """Return a text in a style, where colours are wanted."""
    return f"{STYLES[style]}{text}{_RESET}" if colored() else text


def width() -> int | None:
    """Return how many characters a line has; None if nobody counts."""
    return shutil.get_terminal_size().columns if interactive() else None


def out(text: str) -> None:
    """Print what was asked for."""
    print(text, flush=True)


def note(text: str) -> None:
    """Tell the person something that is not what was asked for."""
    print(text, file=sys.stderr, flush=True)


def out_json(value: Any) -> None:
    """Print a value for programs, in a line of its own."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")), flush=True)
