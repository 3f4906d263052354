"""tree-sitter, and how to go on after a syntax error.

After an error, tree-sitter's own recovery often gives up the rest of an HCL file: its scanner for heredocs takes any
word for a terminator. So the line with the first error is blanked out, its braces kept, and the file is parsed again,
until it is whole: every error is found at its own place, and the rest of the file is checked as if it were right.
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
"""How many syntax errors are looked for: each one costs a parse."""

_MAX_STEPS: Final = 9_000
"""Bound of the work for one file, in steps of tree-sitter's progress; a file full of services takes half of it."""
_MAX_BROKEN_STEPS: Final = 2_000
"""The same after a first error, where each step costs more."""
_PATIENCE: Final = 1.0
"""Seconds for one file: tree-sitter's recovery is quadratic for some. What was found by then is reported."""

_GLIMPSE: Final = 8_192
"""How much is read of a file that is too broken to be read whole."""


class Parsed(NamedTuple):
    """The tree of a file, whole but for the lines that were given up."""

    root: "Node | None"
    problems: list[SyntaxProblem]
    placeholders: frozenset[int]
    """Where blocks begin that stand for lines given up."""


def parse_tree(source: Source, patience: float = _PATIENCE) -> Parsed:
    """Parse a file, and find its syntax errors one by one, for as long as there is patience: seconds."""
    data = as_parsed(source.data)
    problems: list[SyntaxProblem] = []
    placeholders: set[int] = set()
    deadline = monotonic() + patience
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
    """Find the first errors of a file that is too broken to be read whole."""
    if len(source.data) <= _GLIMPSE:
        return []
    beginning = source.data[: source.data.rfind(b"\n", 0, _GLIMPSE) + 1]
    # What seems open at the cut may well be closed behind it.
    problems = parse_tree(Source(beginning, source.filename), _PATIENCE / 2).problems
    return [problem for problem in problems if not problem.unclosed]


@cache
def _language() -> "Language":
    import tree_sitter_hcl
    from tree_sitter import Language

    return Language(tree_sitter_hcl.language())


def _parse(data: bytes, deadline: float) -> "tuple[Node | None, int]":
    """Return the tree's root, or where the first error was seen when the work went out of bounds."""
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
        # A parser of its own for each call: while it calls back, another thread may parse too.
        return Parser(_language()).parse(read, progress_callback=cancel).root_node, 0
    except ValueError:  # how tree-sitter says that it was canceled
        return None, first_error


def _unreadable(source: Source, offset: int) -> SyntaxProblem:
    if not offset:
        return SyntaxProblem(Span(0, 1), "the file is too complex to read", "is this a .mill file?")
    # The error is shortly before the place where tree-sitter reported on its progress.
    span = source.line_at(max(0, offset - 1))
    return SyntaxProblem(span, "the file has too many errors to go on from here", "is this a .mill file?")
