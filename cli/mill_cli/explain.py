"""`mill explain`: failure codes, without a cluster. failure_codes.json is generated from the rules of verdicts."""

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
"""Maximum characters of a line: longer ones are hard to read."""
_NARROWEST: Final = 40
_FACTS: Final = {"seen": "seen", "fails": "fails", "suggestion": "what to do", "rule": "rule"}
_LABEL_WIDTH: Final = max(map(len, _FACTS.values()))
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


def explain(code: str | None, *, as_json: bool) -> Exit:
    """Print the causes of a code, or an overview of all codes. Raise `CliError`."""
    known = codes()
    selected = known if code is None else {name: known[name] for name in [_find(code, known)]}
    lines: Iterator[str]
    if as_json:
        lines = (
            json.dumps({"code": name, "causes": causes}, separators=(",", ":")) for name, causes in selected.items()
        )
    else:
        width = max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST))
        lines = _overview(known, width) if code is None else _page(selected, width)
    for line in lines:
        print(line)
    return Exit.SUCCESS


def codes() -> Codes:
    """Return all codes with their causes."""
    found: Codes = json.loads(files("mill_cli").joinpath("failure_codes.json").read_text(encoding="utf-8"))
    return found


def _find(code: str, codes: Codes) -> str:
    by_lower = {name.lower(): name for name in codes}
    if (found := by_lower.get(code.strip().lower())) is not None:
        return found
    import difflib  # noqa: PLC0415 - for mistyped codes alone

    nearest = [by_lower[each] for each in difflib.get_close_matches(code.strip().lower(), by_lower)]
    advice = [f"did you mean {' or '.join(nearest)}?"] if nearest else []
    raise CliError(Exit.FAILED, f"unknown failure code '{code}'", *advice, "`mill explain` lists all codes")


def _overview(codes: Codes, width: int) -> Iterator[str]:
    column = max(map(len, codes)) + 2
    for name, causes in codes.items():
        yield from _hanging(_bold(name, column), column, _headline(causes[0]), width)
    yield ""
    yield "`mill explain CODE` shows the causes of a code and what to do."


def _headline(cause: Cause) -> str:
    """Return the message, or what is observed if the message is only foreign text."""
    own_text = re.sub(r"<\w+>", "", cause["message"]).strip()
    return cause["message"] if own_text else cause["seen"]


def _page(codes: Codes, width: int) -> Iterator[str]:
    for name, causes in codes.items():
        yield _bold(name, 0)
        for cause in causes:
            yield ""
            yield from _hanging("  ", 2, cause["message"], width)
            for fact, label in _FACTS.items():
                yield from _hanging(f"    {label:<{_LABEL_WIDTH}}  ", _LABEL_WIDTH + 6, cause[fact], width)


def _hanging(label: str, column: int, text: str, width: int) -> Iterator[str]:
    """Yield the lines of a label and a text beside it, with a hanging indent."""
    lines = textwrap.wrap(text, width - column, break_on_hyphens=False, break_long_words=False)
    for index, line in enumerate(lines):
        yield (label if index == 0 else " " * column) + line


def _bold(text: str, width: int) -> str:
    """Return a text padded to a width, bold on a terminal."""
    filled = " " * (width - len(text))
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"{_BOLD}{text}{_RESET}{filled}"
    return text + filled
