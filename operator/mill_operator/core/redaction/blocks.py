"""Which lines after the name of a credential belong to its value."""

from typing import Final

from mill_operator.core.patterns import pattern
from mill_operator.core.redaction import MARK

_QUOTES: Final = ('"""', "'''", "```", '"', "'", "`")
_OPENERS: Final = "[{("
_CLOSERS: Final = "]})"
_BLOCK: Final = pattern(r"(?:[|>][+-]?[0-9]?[+-]?|!!?\w{1,20}(?: [|>][+-]?)?)?\s*")
"""Text behind a name in YAML whose value is in the lines below."""
_HERE_DOCUMENT: Final = pattern(r"<<[-~]?\s?[\"']?(\w{1,40})[\"']?\s*")
_NAMED: Final = pattern(r"\s*(?:- )?(?:\\?[\"'])?[\w.$*-]{1,100}(?:\\?[\"'])?\s{0,8}[:=]")
_TRACE: Final = pattern(r"\s+(?:at |File |from |in |\.\.\.|#\d|\^|goroutine )")
_SCHEME: Final = pattern(r"(?i)(?:digest|oauth|signature|hawk|aws4)\b")
"""Authorization that is a list, which may be folded."""
_ONLY_NAME: Final = pattern(r"\s*(?:- |\+ |> )?[\"'<]?")


def lines_after(value: str, before: str, lines: list[str], at: int, *, element: bool) -> int:
    """Return how many lines, from `lines[at]` on, belong to a value.

    `value` is what is left of the line behind the credential's name, `before` what stands before that name.
    """
    opening = value.strip().lstrip("\\")
    if element:
        return 0 if "</" in value or opening.startswith(MARK) else _until("</", lines, at)
    if document := _HERE_DOCUMENT.fullmatch(opening):
        return next((n + 1 for n, line in enumerate(lines[at:]) if line.strip() == document[1]), len(lines) - at)
    for quote in _QUOTES:
        if opening.startswith(quote):
            return 0 if quote in opening[len(quote) :] else _until(quote, lines, at)
    indent = _indent(before)
    if opening.endswith("\\") or value.rstrip().endswith("\\"):
        return _continued(lines, at)
    opens = sum(opening.count(each) for each in _OPENERS) > sum(opening.count(each) for each in _CLOSERS)
    if opening[:1] in _OPENERS and opens:
        return _nested(indent, lines, at) or _up_to_closer(lines, at)
    if _BLOCK.fullmatch(opening):
        return _deeper(indent, lines, at) or _next(lines, at)
    if opening.endswith(",") and _SCHEME.match(opening):
        return _deeper(indent, lines, at)
    if _ONLY_NAME.fullmatch(before):
        return _deeper(indent, lines, at, plain=True)
    return 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _until(end: str, lines: list[str], at: int) -> int:
    return next((n + 1 for n, line in enumerate(lines[at:]) if end in line), len(lines) - at)


def _continued(lines: list[str], at: int) -> int:
    count = 0
    while at + count < len(lines):
        count += 1
        if not lines[at + count - 1].rstrip().endswith("\\"):
            break
    return count


def _deeper(indent: int, lines: list[str], at: int, *, plain: bool = False) -> int:
    """Count the lines that are indented more; if `plain`, only up to one that is no text."""
    count = last = 0
    while at + count < len(lines):
        line = lines[at + count]
        count += 1
        if not line.strip():
            continue
        if _indent(line) <= indent or (plain and (_NAMED.match(line) or _TRACE.match(line) or MARK in line)):
            break
        last = count
    return last


def _nested(indent: int, lines: list[str], at: int) -> int:
    count = _deeper(indent, lines, at)
    end = at + count
    closes = count > 0 and end < len(lines) and lines[end].lstrip().startswith(tuple(_CLOSERS))
    return count + 1 if closes else count


def _up_to_closer(lines: list[str], at: int) -> int:
    closers = (n for n, line in enumerate(lines[at:], 1) if line.lstrip().startswith(tuple(_CLOSERS)))
    return next(closers, min(1, len(lines) - at))


def _next(lines: list[str], at: int) -> int:
    """Take the next line that is not empty, unless it has a name of its own."""
    for count, line in enumerate(lines[at:], 1):
        if line.strip():
            return 0 if _NAMED.match(line) or MARK in line else count
    return 0
