"""Where output goes: a terminal, or something that is read later."""

import json
import os
import re
import shutil
import sys
from typing import Any, Final

from mill_cli.output.text import printable

_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e\n]")
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


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
    """Return a text in a style such as `dim` or `bold red`, where colours are wanted; `` is none."""
    codes = ";".join(_CODES[each] for each in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text and colored() else text


def width() -> int | None:
    """Return how many characters a line has; None if nobody counts."""
    return shutil.get_terminal_size().columns if interactive() else None


def size() -> tuple[int, int]:
    """Return columns and lines of the terminal as it is now, whatever the environment says that it was."""
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    return columns or 80, lines or 24


def out(text: str) -> None:
    """Print what was asked for."""
    print(text, flush=True)


def note(text: str, *, painted: bool = False) -> None:
    """Tell the person something that is not what was asked for.

    `painted`: it has colours of ours, and whatever is of others in it has been made printable before.
    """
    print(text if painted else printable(text), file=sys.stderr, flush=True)


def out_json(value: Any) -> None:
    """Print a value for programs, in a line of its own."""
    print(as_json(value), flush=True)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON; characters that a terminal obeys or that reorder text are escaped, the others are not."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return _NOT_ASCII.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)
