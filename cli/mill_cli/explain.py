"""`mill explain`: what a failure code means, without a cluster. failure_codes.json is made from the judge's table."""

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

from mill_cli.errors import CliError, Exit

Cause = Mapping[str, str]
Codes = Mapping[str, list[Cause]]

_WIDEST: Final = 100
"""Longer lines are hard to read, whatever fits in the window."""
_NARROWEST: Final = 40
_FACTS: Final = {"seen": "seen", "fails": "fails", "suggestion": "what to do", "rule": "rule"}
_LABEL_WIDTH: Final = max(map(len, _FACTS.values()))
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


def explain(code: str | None, *, as_json: bool) -> Exit:
    """Print what a code means, or all codes if none is asked for."""
    known = codes()
    asked = known if code is None else {name: known[name] for name in [_find(code, known)]}
    lines: Iterator[str]
    if as_json:
        lines = (json.dumps({"code": name, "causes": causes}, separators=(",", ":")) for name, causes in asked.items())
    else:
        width = max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST))
        lines = _overview(known, width) if code is None else _page(asked, width)
    for line in lines:
        print(line)
    return Exit.GOOD


def codes() -> Codes:
    """Return all codes with their causes."""
    found: Codes = json.loads(files("mill_cli").joinpath("failure_codes.json").read_text(encoding="utf-8"))
    return found


def _find(code: str, codes: Codes) -> str:
    by_lower = {name.lower(): name for name in codes}
    if (found := by_lower.get(code.strip().lower())) is not None:
        return found
    import difflib  # only who has mistyped waits for it

    nearest = [by_lower[each] for each in difflib.get_close_matches(code.strip().lower(), by_lower)]
    advice = [f"did you mean {' or '.join(nearest)}?"] if nearest else []
    raise CliError(Exit.FAILED, f"there is no failure code '{code}'", *advice, "`mill explain` lists all codes")


def _overview(codes: Codes, width: int) -> Iterator[str]:
    column = max(map(len, codes)) + 2
    for name, causes in codes.items():
        yield from _hanging(_bold(name, column), column, _headline(causes[0]), width)
    yield ""
    yield "`mill explain CODE` says when one is told, and what to do."


def _headline(cause: Cause) -> str:
    """Return the message, or what is seen where the message is only in somebody else's words."""
    own_words = re.sub(r"<\w+>", "", cause["message"]).strip()
    return cause["message"] if own_words else cause["seen"]


def _page(codes: Codes, width: int) -> Iterator[str]:
    for name, causes in codes.items():
        yield _bold(name, 0)
        for cause in causes:
            yield ""
            yield from _hanging("  ", 2, cause["message"], width)
            for fact, label in _FACTS.items():
                yield from _hanging(f"    {label:<{_LABEL_WIDTH}}  ", _LABEL_WIDTH + 6, cause[fact], width)


def _hanging(label: str, column: int, text: str, width: int) -> Iterator[str]:
    """Yield a label and a text beside it, whose further lines begin below its first."""
    lines = textwrap.wrap(text, width - column, break_on_hyphens=False, break_long_words=False)
    for index, line in enumerate(lines):
        yield (label if index == 0 else " " * column) + line


def _bold(text: str, width: int) -> str:
    """Return a text filled up to a width, bold where a person looks at it."""
    filled = " " * (width - len(text))
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"{_BOLD}{text}{_RESET}{filled}"
    return text + filled
