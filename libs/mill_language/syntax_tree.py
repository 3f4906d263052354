"""Parsing with tree-sitter, and recovery after syntax errors.

After an error, tree-sitter's own recovery often loses the rest of an HCL file: its scanner for heredocs accepts any
word as a terminator. So the line with the first error is blanked out except for its braces, and the file is parsed
again, until it has no errors. Each error is found at its own place, and the rest of the file is checked as well.
"""

from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from mill_language.repair import as_parsed, repair
from mill_language.source import Source, Span
from mill_language.syntax_errors import SyntaxProblem, first_error

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Point

MAX_ERRORS: Final = 20
"""Number of syntax errors after which parsing stops. Each one costs a parse."""

_MAX_STEPS: Final = 9_000
"""Limit of the work for one file, in steps of tree-sitter's progress. The largest valid files take half of it."""
_MAX_BROKEN_STEPS: Final = 2_000
"""The same after the first error, when each step costs more."""
_TIMEOUT_SECONDS: Final = 1.0
"""Limit of the time for one file: tree-sitter's recovery is quadratic for some. Errors found by then are reported."""

_GLIMPSE: Final = 8_192
"""Bytes that are read of a file with too many errors to be read whole."""


class Parsed(NamedTuple):
    """The tree of a file without the lines that were skipped; None if it has too many errors."""

    root: "Node | None"
    problems: list[SyntaxProblem]
    placeholders: frozenset[int]
    """Offsets of the blocks that stand for skipped lines."""


def parse_tree(source: Source, timeout: float = _TIMEOUT_SECONDS) -> Parsed:
    """Parse a file, and find its syntax errors one by one, until the timeout (seconds)."""
    data = as_parsed(source.data)
    problems: list[SyntaxProblem] = []
    placeholders: set[int] = set()
    deadline = monotonic() + timeout
    root: Node | None = None
    for _ in range(MAX_ERRORS):
        root, broken_at = _parse(data, deadline)
        if root is None:
            if not problems:
                problems += _glimpse(source) or [_unreadable(source, broken_at)]
            return Parsed(None, problems, frozenset(placeholders))
        if not root.has_error:
            return Parsed(root, problems, frozenset(placeholders))
        problem = first_error(source, data, root)
        if not any(source.line_at(problem.span.start) == source.line_at(other.span.start) for other in problems):
            problems.append(problem)
        change = repair(source, data, problem.remedy) if problem.remedy is not None else None
        if change is None or monotonic() > deadline:
            break
        repaired = change.apply(data)
        if repaired == data:
            break
        data = repaired
        if change.placeholder is not None:
            placeholders.add(change.placeholder)
    return Parsed(root, problems, frozenset(placeholders))


def _glimpse(source: Source) -> list[SyntaxProblem]:
    """Return the first errors of a file with too many to be read whole."""
    if len(source.data) <= _GLIMPSE:
        return []
    beginning = source.data[: source.data.rfind(b"\n", 0, _GLIMPSE) + 1]
    # A block that is open at the cut may be closed behind it.
    problems = parse_tree(Source(beginning, source.filename), _TIMEOUT_SECONDS / 2).problems
    return [problem for problem in problems if not problem.unclosed]


@cache
def _language() -> "Language":
    import tree_sitter_hcl
    from tree_sitter import Language

    return Language(tree_sitter_hcl.language())


def _parse(data: bytes, deadline: float) -> "tuple[Node | None, int]":
    """Return the tree's root; or None and the place of the first error, if a limit was reached."""
    steps = broken = first_error = 0

    def read(offset: int, _point: "Point") -> bytes:
        return data[offset : offset + 65_536]

    def cancel(offset: int, has_error: bool) -> bool:  # noqa: FBT001 - tree-sitter calls it
        nonlocal steps, broken, first_error
        steps += 1
        if has_error:
            broken += 1
            first_error = first_error or offset
        return steps > _MAX_STEPS or broken > _MAX_BROKEN_STEPS or monotonic() > deadline

    from tree_sitter import Parser

    try:
        # Each call has its own parser: during a callback, another thread may parse.
        return Parser(_language()).parse(read, progress_callback=cancel).root_node, 0
    except ValueError:  # tree-sitter was canceled
        return None, first_error


def _unreadable(source: Source, offset: int) -> SyntaxProblem:
    if not offset:
        return SyntaxProblem(Span(0, 1), "the file is too complex to be read", "is this a .mill file?")
    # The error is shortly before the place at which tree-sitter reported its progress.
    span = source.line_at(max(0, offset - 1))
    return SyntaxProblem(span, "the file has too many errors: reading stops here", "is this a .mill file?")
