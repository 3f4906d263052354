"""tree-sitter, and how to go on after a syntax error.

After an error, tree-sitter's own recovery often gives up the rest of an HCL file: its scanner for heredocs takes any
word for a terminator. So the line with the first error is blanked out, its braces kept, and the file is parsed again,
until it is whole: every error is found at its own place, and the rest of the file is checked as if it were right.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from mill_api.language.source import Source, Span

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Point

MAX_ERRORS: Final = 20
"""How many syntax errors are looked for: each one costs a parse."""

PLACEHOLDER: Final = b"_"
"""Type of the block that stands for one whose header could not be read."""

_MAX_STEPS: Final = 9_000
"""Bound of the work for one file, in steps of tree-sitter's progress: 0.7 s, or 200 MiB, at worst."""
_MAX_BROKEN_STEPS: Final = 2_000
"""The same after a first error, where each step costs more."""
_REPARSED: Final = 1_000_000
"""How many bytes are parsed again at most, to find further errors."""

_NEAR: Final = 16
"""How far up a cause is looked for: tree-sitter finds each parent from the root, which adds up in deep files."""

_SKIPPED_TOKENS: Final = frozenset({"heredoc_identifier", "quoted_template_start", "quoted_template_end"})
_TOKEN: Final = re.compile(r"[^\W\d][\w-]*|\d[\w.]*|[=!<>]=|&&|\|\||\S")
_EXPONENT: Final = re.compile(rb"(?<![\w.-])[0-9]+[eE][-+]?[0-9]+(?![\w.])")
_OPENERS: Final = {"block_start": "}", "object_start": "}", "tuple_start": "]", "(": ")"}


class SyntaxProblem(NamedTuple):
    """A syntax error: what was found, what to do, and another place that explains it."""

    span: Span
    message: str
    advice: str | None = None
    related: tuple[tuple[str, Span], ...] = ()


class Parsed(NamedTuple):
    """The tree of a file, whole but for the lines that were given up."""

    root: "Node | None"
    problems: list[SyntaxProblem]
    placeholders: frozenset[int]
    """Where blocks begin that stand for lines given up."""


def parse_tree(source: Source) -> Parsed:
    """Parse a file, and find its syntax errors one by one."""
    data = source.data
    problems: list[SyntaxProblem] = []
    placeholders: set[int] = set()
    budget = _REPARSED
    # The grammar knows exponents only behind a fraction. The same number of digits in their place reads the same.
    data = _EXPONENT.sub(lambda match: b"0" * len(match[0]), data)
    while True:
        root, broken_at = _parse(data)
        if root is None:
            problems.append(_unreadable(source, broken_at))
            return Parsed(None, problems, frozenset(placeholders))
        if not root.has_error:
            return Parsed(root, problems, frozenset(placeholders))
        problem, repair = _first_error(source, data, root)
        problems.append(problem)
        budget -= len(data)
        if repair is None or budget < 0 or len(problems) >= MAX_ERRORS:
            return Parsed(root, problems, frozenset(placeholders))
        if repair.placeholder is not None:
            placeholders.add(repair.placeholder)
        data = data[: repair.start] + repair.text + data[repair.start + len(repair.text) :]


class _Repair(NamedTuple):
    """Bytes to put over others (or behind the last), so that every offset stays what it was."""

    start: int
    text: bytes
    placeholder: int | None = None


@cache
def _parser() -> "Parser":
    import tree_sitter_hcl
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_hcl.language()))


def _parse(data: bytes) -> "tuple[Node | None, int]":
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
        return steps > _MAX_STEPS or broken > _MAX_BROKEN_STEPS

    parser = _parser()
    try:
        return parser.parse(read, progress_callback=cancel).root_node, 0
    except ValueError:  # how tree-sitter says that it was cancelled
        parser.reset()
        return None, first_error


def _unreadable(source: Source, offset: int) -> SyntaxProblem:
    if not offset:
        return SyntaxProblem(Span(0, 1), "the file is too complex to read", "is this a .mill file?")
    # The error is shortly before the place where tree-sitter reported on its progress.
    span = source.line_at(max(0, offset - 1))
    return SyntaxProblem(span, "the file has too many errors to go on from here", "is this a .mill file?")


def _walk_errors(root: "Node") -> "Iterator[Node]":
    """Yield ERROR and MISSING nodes in the order of the file, without recursion: files may nest deeply."""
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            pending.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)


def _first_error(source: Source, data: bytes, root: "Node") -> tuple[SyntaxProblem, _Repair | None]:
    errors = sorted(_walk_errors(root), key=lambda node: node.start_byte)
    node = errors[0]
    if (comment := _open_comment(data, node.start_byte)) is not None:
        problem = SyntaxProblem(Span(comment, comment + 2), "the comment is never closed; expected `*/`")
        return problem, _give_up_line(source, data, comment)
    if (string := _open_string(data, root, node)) is not None:
        message, advice = "the string is not closed on its line; expected `\"`", "use a heredoc for text of many lines"
        return SyntaxProblem(string, message, advice), _give_up_line(source, data, string.start)
    if node.is_missing:
        return _missing(source, data, node)
    return _unexpected(source, data, node)


def _missing(source: Source, data: bytes, node: "Node") -> tuple[SyntaxProblem, _Repair | None]:
    if node.type == "heredoc_identifier" and node.parent is not None and _is_heredoc(node.parent):
        span = source.line_at(node.parent.start_byte)
        span = Span(node.parent.start_byte, max(span.end, node.parent.start_byte + 1))
        name = source.text(span).lstrip("<-").strip()
        message = f"the heredoc is never closed; expected a line with `{name}` alone"
        return SyntaxProblem(span, message), None  # all that follows may be its text
    if node.type == "}" and node.end_byte >= len(data.rstrip()):
        block = _enclosing(node, "block")
        if block is not None:
            return _unclosed_block(source, data, block)
    before = len(data[: node.start_byte].rstrip())
    following = _skip_blanks(data, before)
    if data[before - 1 : before] == b"=":
        if data[following : following + 1] in b"}])," or not source.same_line(before, following):
            return _no_value(source, data, before)
        return _at(source, data, following, node)
    if node.type in ("<<", "<<-", "{"):  # guesses of tree-sitter: something else stands where a value should
        return _at(source, data, following, node)
    opener = _opener(node)
    related = (("it was opened here", opener),) if opener else ()
    last = Span(max(0, before - 1), before)
    return SyntaxProblem(last, f"expected `{node.type}` after this", None, related), _give_up_line(
        source, data, last.start
    )


def _unexpected(source: Source, data: bytes, error: "Node") -> tuple[SyntaxProblem, _Repair | None]:
    at = error.start_byte
    opened: list[Node] = []
    previous = ""
    for child in error.children:
        # What stands at the beginning of an ERROR node was still right, except for single tokens that it skipped.
        is_opener = child.type in _OPENERS
        is_right = child.is_named or is_opener or (child.type == "=" and previous == "identifier")
        if not is_right or child.type in _SKIPPED_TOKENS or child.start_byte == child.end_byte:
            break
        if data[at : child.start_byte].strip():
            break
        previous = child.type
        if is_opener:
            opened.append(child)
        at = child.end_byte
    following = _skip_blanks(data, at)
    if following >= len(data):
        if not opened:
            return _at(source, data, error.start_byte, error)
        last = opened[-1]
        span = Span(last.start_byte, last.end_byte)
        return SyntaxProblem(span, f"this is never closed; expected `{_OPENERS[last.type]}`"), None
    before = len(data[:following].rstrip())
    if data[before - 1 : before] == b"=" and not source.same_line(before, following):
        return _no_value(source, data, before)
    if not source.same_line(error.start_byte, following) and not opened:
        following = _skip_blanks(data, error.start_byte)
    after = _skip_blanks(data, following + 1)
    if data[following : following + 1] == b"=" and not source.same_line(following, after):
        return _no_value(source, data, following + 1)
    return _at(source, data, following, error)


def _at(source: Source, data: bytes, at: int, node: "Node") -> tuple[SyntaxProblem, _Repair | None]:
    """Say what is wrong with the token at an offset."""
    line = source.line_at(at)
    rest = source.text(Span(at, min(line.end, at + 200)))
    match = _TOKEN.match(rest)
    token = match[0] if match else rest[:1]
    span = Span(at, at + max(1, len(token.encode())))
    before = data[line.start : at].rstrip()
    problem = SyntaxProblem(span, f"unexpected {f'`{token}`' if token else 'end of file'}", _advice(token, before, rest))
    interpolation = _enclosing(node, "template_interpolation")
    if interpolation is not None and not token.startswith("\\"):
        text = source.text(Span(interpolation.start_byte, min(interpolation.end_byte, interpolation.start_byte + 200)))
        problem = SyntaxProblem(
            span,
            f"unexpected `{token}` in `{text}`",
            "write ${secret(NAME)} or ${service.NAME.address}; $${ stands for a literal ${",
        )
    return problem, _give_up_line(source, data, at)


def _advice(token: str, before: bytes, rest: str) -> str | None:  # noqa: C901 - one line for each mistake
    if token == ";":
        return "put each attribute on a line of its own"
    if token in ("'", "`"):
        return 'strings stand in double quotes: "…"'
    name = before.decode("utf-8", "replace").strip().removesuffix("=").strip()
    if token in (":", "=", "==") and name and "=" not in name:
        return f"write `{name} = …`"
    if token == ":" and b"=" in before:
        return 'quote the value: "…"'
    if token == "\\":
        escape = rest[:2]
        return f"`{escape}` is not an escape; there are \\n, \\r, \\t, \\\", \\\\, \\uNNNN and \\UNNNNNNNN"
    if token in ("}", "]", ")"):
        return f"nothing is open that `{token}` could close"
    if token == "\ufeff":
        return "save the file as UTF-8 without a byte order mark"
    if not before and token[:1] in ('"', "{", "[") or token[:1].isdigit():
        return "an attribute is `name = value`, a block `name { … }`; names have no quotes and begin with a letter"
    return None


def _no_value(source: Source, data: bytes, end: int) -> tuple[SyntaxProblem, _Repair | None]:
    problem = SyntaxProblem(Span(end - 1, end), "expected a value after `=`", "the value begins on the same line")
    return problem, _give_up_line(source, data, end - 1)


def _unclosed_block(source: Source, data: bytes, block: "Node") -> tuple[SyntaxProblem, _Repair | None]:
    """A block that runs to the end of the file. Indentation tells where it was meant to end."""
    start = next((child for child in block.children if child.type == "block_start"), block)
    header = source.text(Span(block.start_byte, min(start.start_byte, block.start_byte + 100))).strip()
    opening = Span(block.start_byte, start.end_byte)
    body = next((child for child in block.children if child.type == "body"), None)
    blocks = [child for child in body.children if child.type == "block"] if body is not None else []
    for child in blocks:
        closer = child.children[-1]
        if closer.type == "block_end" and closer.start_point.column < child.start_point.column < closer.start_byte:
            if closer.start_point.row > child.start_point.row:
                # Its brace stands under the outer block: the one that was forgotten is its own.
                header = source.text(Span(child.start_byte, child.children[0].end_byte))
                opening = Span(child.start_byte, child.children[0].end_byte)
                break
    for child in blocks:
        if child.start_point.column <= block.start_point.column:
            gap = len(data[: child.start_byte].rstrip())
            problem = SyntaxProblem(
                opening,
                f"`{header}` is never closed; expected `}}`",
                None,
                (("before this", Span(child.start_byte, child.children[0].end_byte)),),
            )
            before = child.start_byte - 1
            return problem, _Repair(before, b"}") if before >= gap else None
    problem = SyntaxProblem(opening, f"`{header}` is never closed; expected `}}`")
    return problem, _Repair(len(data), b"\n}")


def _give_up_line(source: Source, data: bytes, at: int) -> _Repair | None:
    """Blank a line out. The braces that it opens or closes remain, or else the rest would fall apart."""
    line = source.line_at(at)
    text = data[line.start : line.end]
    depth = lowest = 0
    in_string = False
    for index, byte in enumerate(text):
        if byte == 0x22 and text[index - 1 : index] != b"\\":
            in_string = not in_string
        elif not in_string and byte == 0x7B:
            depth += 1
        elif not in_string and byte == 0x7D:
            depth -= 1
            lowest = min(lowest, depth)
    closes, opens = -lowest, depth - lowest
    if not source.data[line.start : line.end].strip() or text.strip(b" ") == b"":
        return None
    # A closer that is the error itself must go, and so must all of a line that has nothing else.
    if data[at : at + 1] == b"}" and text.strip() == b"}":
        closes = 0
    kept = b"}" * closes + b" " + (PLACEHOLDER + b" {") * opens
    if len(kept.strip()) > len(text):
        kept = b""
    blank = b"".join(b"\r" if byte == 0x0D else b" " for byte in text)
    kept = kept.strip()
    placeholder = line.start + kept.find(PLACEHOLDER) if opens and kept else None
    return _Repair(line.start, kept + blank[len(kept) :], placeholder)


def _open_comment(data: bytes, at: int) -> int | None:
    return at if data[at : at + 2] == b"/*" and data.find(b"*/", at + 2) < 0 else None


def _open_string(data: bytes, root: "Node", error: "Node") -> Span | None:
    """Find a string over more than one line before an error: its end was forgotten."""
    if data[error.start_byte : error.start_byte + 1] == b"\\":
        return None
    limit = len(data) if error.type == "ERROR" and error.parent is None else error.start_byte
    pending = [(root, 0)]
    while pending:
        node, owner_end = pending.pop()
        if node.type == "quoted_template_start":
            end = data.find(b"\n", node.start_byte)
            if 0 <= end < owner_end:
                return Span(node.start_byte, len(data[:end].rstrip()))
        elif node.start_byte < limit and node.end_point.row > node.start_point.row:
            pending.extend((child, node.end_byte) for child in reversed(node.children))
    return None


def _skip_blanks(data: bytes, at: int) -> int:
    return len(data) - len(data[at:].lstrip())


def _is_heredoc(node: "Node") -> bool:
    return node.type == "heredoc_template" and any(
        child.type == "heredoc_start" and child.end_byte > child.start_byte for child in node.children
    )


def _enclosing(node: "Node", kind: str) -> "Node | None":
    parent = node.parent
    for _ in range(_NEAR):
        if parent is None or parent.type == kind:
            return parent
        parent = parent.parent
    return None


def _opener(node: "Node") -> Span | None:
    owner = node.parent.parent if node.parent is not None and node.parent.type.endswith("_end") else node.parent
    first = owner.children[0] if owner is not None and owner.children else None
    for child in owner.children if owner is not None else ():
        if child.type in _OPENERS:
            return Span(child.start_byte, child.end_byte)
    return Span(first.start_byte, first.end_byte) if first is not None and first.end_byte > first.start_byte else None
