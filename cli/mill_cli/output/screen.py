"""Standard output and standard error: a terminal, or a file that is read later."""

import json
import os
import re
import sys
from typing import Any, Final

from mill_cli.output.text import printable

_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e\n]")
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


def interactive() -> bool:
    """Whether standard output is a terminal that can move the cursor."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def colored() -> bool:
    """Whether standard output should have colors."""
    return interactive() and not os.environ.get("NO_COLOR")


def interactive_errors() -> bool:
    """Whether standard error is a terminal that can move the cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def colored_errors() -> bool:
    """Whether standard error should have colors."""
    return interactive_errors() and not os.environ.get("NO_COLOR")


def paint(text: str, style: str) -> str:
    """Return a text in a style such as `dim` or `bold red`, if standard output should have colors."""
    return styled(text, style) if colored() else text


def styled(text: str, style: str) -> str:
    """Return a text in a style, for a stream that shows colors."""
    codes = ";".join(_CODES[each] for each in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text


def width() -> int | None:
    """Return the characters of a line; None if standard output is not a terminal."""
    return size()[0] if interactive() else None


def size() -> tuple[int, int]:
    """Return the current columns and lines of the terminal, not those of the environment."""
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    return columns or 80, lines or 24


def out(text: str) -> None:
    """Print the output of a command."""
    print(text, flush=True)


def note(text: str, *, painted: bool = False) -> None:
    """Print a message to standard error.

    `painted`: the text has colors, and foreign text in it is printable already.
    """
    print(text if painted else printable(text), file=sys.stderr, flush=True)


def out_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    print(as_json(value), flush=True)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON, with escapes for control characters and those that reorder text."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return _NOT_ASCII.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)
