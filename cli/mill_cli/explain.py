"""`mill explain`: failure codes, without a cluster. failure_codes.json is generated from the rules of verdicts."""

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

from mill_cli.errors import CliError, Exit

Cause = Mapping[str, str]
Entry = Mapping[str, Any]
"""What is said of a code: `subject`, `example`, its `place`, `kubernetes`, `source`, `why`, and its `causes`."""

_WIDEST: Final = 100
"""Maximum characters of a line: longer ones are hard to read."""
_NARROWEST: Final = 40
_FACTS: Final = {
    "seen": "observed",
    "fails": "fails",
    "suggestion": "what to do",
    "takes_back": "takes back",
    "rule": "rule",
}
_TAKEN_BACK: Final = {"yes": "the version, of a service with a volume", "no": "no version"}
_FIRST_WORD: Final = re.compile(r"^[A-Z]\w+(?=[:,])")
"""The reason of Kubernetes with which an example begins."""
_QUOTED: Final = re.compile(r"`([A-Z]\w+)`")
_PLACEHOLDER: Final = re.compile(r"<\w+>")
_LABEL_WIDTH: Final = max(map(len, _FACTS.values()))
_BACK_OFFS: Final = {"ImagePullBackOff": "image", "CrashLoopBackOff": "run"}
"""The reasons of Kubernetes that hide a cause, with the subject of the codes that may be behind them."""
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


def explain(code: str | None, *, as_json: bool) -> Exit:
    """Print what is known of a code, or an overview of all codes. Raise `CliError`."""
    data = _read()
    known: Mapping[str, Entry] = data["codes"]
    selected = known if code is None else {name: known[name] for name in [_find(code, known)]}
    lines: Iterator[str]
    if as_json:
        lines = (json.dumps({"code": name, **entry}, separators=(",", ":")) for name, entry in selected.items())
    else:
        width = max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST))
        lines = _overview(known, data["subjects"], width) if code is None else _page(selected, width)
    for line in lines:
        print(line)
    return Exit.SUCCESS


def codes() -> Mapping[str, Entry]:
    """Return all codes with what is said of them."""
    found: Mapping[str, Entry] = _read()["codes"]
    return found


def _read() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(files("mill_cli").joinpath("failure_codes.json").read_text(encoding="utf-8"))
    return data


def _find(code: str, codes: Mapping[str, Entry]) -> str:
    by_lower = {name.lower(): name for name in codes}
    if (found := by_lower.get(code.strip().lower())) is not None:
        return found
    if (advice := _reported_for(code.strip().lower(), codes)) is None:
        import difflib  # noqa: PLC0415 - for mistyped codes alone

        nearest = [by_lower[each] for each in difflib.get_close_matches(code.strip().lower(), by_lower)]
        advice = [f"did you mean {' or '.join(nearest)}?"] if nearest else []
    advice = [*advice, "`mill explain` lists all codes"]
    raise CliError(Exit.FAILED, f"unknown failure code '{code}'", *advice, kind="unknown_failure_code")


def _reported_for(reason: str, codes: Mapping[str, Entry]) -> list[str] | None:
    """Return for which codes Kubernetes reports a reason, such as `OOMKilled`; None if no code names it."""
    by_reason: dict[str, list[str]] = {}
    for name, entry in codes.items():
        texts = [cause["seen"] for cause in entry["causes"]]
        reasons = _FIRST_WORD.findall(entry["example"]) + _QUOTED.findall(" ".join(texts))
        hidden = [back_off for back_off, subject in _BACK_OFFS.items() if subject == entry["subject"]]
        for each in dict.fromkeys([*reasons, *hidden]):
            by_reason.setdefault(each, []).append(name)
    found = next((each for each in by_reason if each.lower() == reason), None)
    return None if found is None else [f"Kubernetes reports {found} for {', '.join(by_reason[found])}"]


def _overview(codes: Mapping[str, Entry], subjects: Mapping[str, str], width: int) -> Iterator[str]:
    column = max(map(len, codes)) + 2
    for subject, title in subjects.items():
        yield from (_bold(title, 0), "")
        for name, entry in codes.items():
            if entry["subject"] == subject:
                yield from _hanging(f"{name:<{column}}", column, _headline(entry["causes"][0]), width)
        yield ""
    yield "`mill explain CODE` shows the causes of a code, an example, and what to do."


def _headline(cause: Cause) -> str:
    """Return the message, or what is observed if the message is only foreign text."""
    own_text = _PLACEHOLDER.sub("", cause["message"]).strip()
    return cause["message"] if own_text else cause["seen"]


def _page(codes: Mapping[str, Entry], width: int) -> Iterator[str]:
    for name, entry in codes.items():
        yield _bold(name, 0)
        for cause in entry["causes"]:
            yield ""
            yield from _hanging("  ", 2, cause["message"], width)
            for fact, label in _FACTS.items():
                text = _TAKEN_BACK[cause[fact]] if fact == "takes_back" else cause[fact]
                yield from _hanging(f"    {label:<{_LABEL_WIDTH}}  ", _LABEL_WIDTH + 6, text, width)
        yield from _part(f"example, from the {entry['place']}", entry["example"], width)
        yield from _part("what Kubernetes does meanwhile", entry["kubernetes"], width)
        yield from _part("why Mill waits, or does not", entry["why"], width)


def _part(title: str, text: str, width: int) -> Iterator[str]:
    yield ""
    yield f"  {title}"
    for line in text.splitlines():
        yield from _hanging("    ", 4, line, width)


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
