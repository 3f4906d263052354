"""Meanings of syntax errors, and the remedies that let the rest of a file be read.

tree-sitter reports that there is an error, and roughly where. People need the place of the first wrong character, what
is there, and what to write instead.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from mill_language.repair import Insert, Remedy, SkipLine
from mill_language.shell_expansions import format_directive, shell_expansion
from mill_language.source import Source, Span

if TYPE_CHECKING:
    from tree_sitter import Node

_NEAR: Final = 16
"""Number of ancestors that are searched: tree-sitter finds each parent from the root, which is slow in deep files."""

_LONGEST_NAME: Final = 100
"""Bytes before an opening brace that are shown as its name."""
_OPEN_SHOWN: Final = 3
"""The innermost braces that are named of those that are not closed."""
_SKIPPED_TOKENS: Final = frozenset({"heredoc_identifier", "quoted_template_start", "quoted_template_end"})
_TOKEN: Final = re.compile(r"[^\W\d][\w-]*|\d[\w.]*|[=!<>]=|&&|\|\||\S")
_LABELED: Final = re.compile(r'([a-z_]{1,30})\s+"([^"\\]{1,100})"')
_NAME_PART: Final = re.compile(r"(?:^|\{)\s*[A-Za-z_][\w-]*$")
_TEMPLATE: Final = re.compile(r"(?<!\$)\$\{")
_OPENERS: Final = {"block_start": "}", "object_start": "}", "tuple_start": "]", "(": ")"}


class SyntaxProblem(NamedTuple):
    """A syntax error: what was found, what to do, and another place that explains it."""

    span: Span
    message: str
    advice: str | None = None
    related: tuple[tuple[str, Span], ...] = ()
    remedy: Remedy | None = None
    """The repair with which reading continues behind it; None: nothing behind it can be read with certainty."""

    @property
    def unclosed(self) -> bool:
        """Whether it is about something that is not closed at the end of the file."""
        return "never closed" in self.message


def _walk_errors(root: "Node") -> "Iterator[Node]":
    """Yield ERROR and MISSING nodes in the order of the file, without recursion: files may nest deeply."""
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            pending.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)


def first_error(source: Source, data: bytes, root: "Node") -> SyntaxProblem:
    """Return the first error of a tree that has one. `data` is the text with earlier repairs."""
    if (expansion := shell_expansion(data)) is not None:
        text = source.text(expansion)
        message = f"`{text}` is no reference"
        advice = f"write `$${text[1:]}` for the text `{text}`, which a shell may expand"
        return SyntaxProblem(expansion, message, advice, remedy=SkipLine(expansion.start))
    if (directive := format_directive(data)) is not None:
        text = source.text(directive)
        line = source.text(source.line_at(directive.start))
        escaped = f"\\u0025{text[1:]}" if _TEMPLATE.search(line) else f"%{text}"  # beside a reference `%%{` stays so
        message, advice = f"`{text}` is no reference", f"write `{escaped}` for the text `{text}`"
        return SyntaxProblem(directive, message, advice, remedy=SkipLine(directive.start))
    errors = sorted(_walk_errors(root), key=lambda node: node.start_byte)
    node = errors[0]
    if (comment := _open_comment(data, node.start_byte)) is not None:
        message = "the comment is never closed; expected `*/`"
        advice = "end the comment with `*/`, or write `#` before each of its lines"
        return SyntaxProblem(Span(comment, comment + 2), message, advice, remedy=SkipLine(comment))
    if (string := _open_string(data, root, node)) is not None:
        message, advice = (
            'the string is not closed on its line; expected `"`',
            "use a heredoc for a text of several lines",
        )
        return SyntaxProblem(string, message, advice, remedy=SkipLine(string.start))
    if node.is_missing:
        return _missing_token(source, data, node)
    return _unexpected(source, data, node)


def _missing_token(source: Source, data: bytes, node: "Node") -> SyntaxProblem:
    if node.type == "heredoc_identifier" and node.parent is not None and _is_heredoc(node.parent):
        span = source.line_at(node.parent.start_byte)
        span = Span(node.parent.start_byte, max(span.end, node.parent.start_byte + 1))
        name = source.text(span).lstrip("<-").strip()
        message = f"the heredoc is never closed; expected a line with `{name}` alone"
        advice = f"put `{name}` on a line of its own behind the text"
        return SyntaxProblem(span, message, advice)  # the rest of the file may be its text
    if node.type == "}" and node.end_byte >= len(data.rstrip()):
        block = _enclosing(node, "block")
        if block is not None:
            return _unclosed_block(source, data, block)
    before = len(data[: node.start_byte].rstrip())
    following = _skip_blanks(data, before)
    if data[before - 1 : before] == b"=":
        if data[following : following + 1] in b"}])," or not source.same_line(before, following):
            return _no_value(before)
        return _unexpected_token(source, data, following, node)
    if node.type in ("<<", "<<-", "{"):  # guesses of tree-sitter: there is something else instead of a value
        return _unexpected_token(source, data, following, node)
    opener = _opener(node) if node.type in _OPENERS.values() else None
    related = (("it was opened here", opener),) if opener else ()
    last = Span(max(0, before - 1), before)
    expected = f"`{node.type}`" if opener else "a name"
    return SyntaxProblem(last, f"expected {expected} after this", None, related, SkipLine(last.start))


def _unexpected(source: Source, data: bytes, error: "Node") -> SyntaxProblem:
    at, opened = _end_of_valid_part(data, error)
    following = _skip_blanks(data, at)
    if following >= len(data):
        return _end_of_file(source, data, error, opened)
    before = len(data[:following].rstrip())
    if data[before - 1 : before] == b"=" and not source.same_line(before, following):
        return _no_value(before)
    if not source.same_line(error.start_byte, following) and not opened:
        following = _skip_blanks(data, error.start_byte)
    after = _skip_blanks(data, following + 1)
    if data[following : following + 1] == b"=" and not source.same_line(following, after):
        return _no_value(following + 1)
    return _unexpected_token(source, data, following, error)


def _end_of_valid_part(data: bytes, error: "Node") -> "tuple[int, list[Node]]":
    """Return the end of the valid beginning of an ERROR node, and the braces that it opens."""
    at = error.start_byte
    opened: list[Node] = []
    previous = ""
    for child in error.children:
        brace = child
        if child.is_error:  # a brace alone is valid too; tree-sitter expected a label
            inner = child.children
            if len(inner) != 1 or inner[0].type != "block_start":
                break
            brace = inner[0]
        is_opener = brace.type in _OPENERS
        is_right = child.is_named or is_opener or (child.type == "=" and previous == "identifier")
        is_right = is_right and not (child.type == "string_lit" and previous == "block_start")
        if not is_right or child.type in _SKIPPED_TOKENS or child.start_byte == child.end_byte:
            break
        if data[at : child.start_byte].strip():
            break
        previous = brace.type
        if is_opener:
            opened.append(brace)
        at = child.end_byte
    return at, opened


def _end_of_file(source: Source, data: bytes, error: "Node", opened: "list[Node]") -> SyntaxProblem:
    if opened:
        last = opened[-1]
        span, closer = Span(last.start_byte, last.end_byte), _OPENERS[last.type]
        still_open = ", then ".join(_named(source, each) for each in reversed(opened[-_OPEN_SHOWN:]))
        advice = f"still open at the end of the file: {still_open}"
        return SyntaxProblem(span, f"this is never closed; expected `{closer}`", advice)
    if error.children and error.children[0].type == "identifier":
        first = error.children[0]
        message = "expected `{` or `=` after this, on the same line"
        return SyntaxProblem(Span(first.start_byte, first.end_byte), message)
    return _unexpected_token(source, data, error.start_byte, error)


def _named(source: Source, opener: "Node") -> str:
    """Return what an opening brace belongs to, and its place: `env =`, opened at 3:9."""
    end = opener.end_byte
    text = source.text(Span(max(source.line_at(end - 1).start, end - _LONGEST_NAME), end)).lstrip()
    row, column = source.position(end - len(text.encode()))
    return f"`{text}`, opened at {row}:{column}"


def _unexpected_token(source: Source, data: bytes, at: int, node: "Node") -> SyntaxProblem:
    """Return the problem of the token at an offset."""
    line = source.line_at(at)
    rest = source.text(Span(at, min(line.end, at + 200)))
    match = _TOKEN.match(rest)
    token = match[0] if match else rest[:1]
    span = Span(at, at + max(1, len(token.encode())))
    before = data[line.start : at].rstrip()
    message, advice = f"unexpected {f'`{token}`' if token else 'end of file'}", _advice(token, before, rest)
    interpolation = _enclosing(node, "template_interpolation")
    if interpolation is not None and not token.startswith("\\"):
        text = source.text(Span(interpolation.start_byte, min(interpolation.end_byte, interpolation.start_byte + 200)))
        message = f"unexpected `{token}` in `{text}`"
        advice = "write ${secret(NAME)} or ${service.NAME.address}; $${ stands for a literal ${"
    return SyntaxProblem(span, message, advice, remedy=SkipLine(at))


def _advice(found: str, before: bytes, rest: str) -> str | None:
    if found == ";" or (found == "," and _ends_attribute(before)):
        return "put each attribute on its own line"
    if found in ("'", "`"):
        return 'write strings in double quotes: "…"'
    name = before.decode("utf-8", "replace").strip().removesuffix("=").strip()
    if found == "=" and (labeled := _LABELED.fullmatch(name)):
        kind, label = labeled.groups()
        return f'write `{kind} = {{ "{label}" = … }}`' if kind == "gpu" else f'write `{kind} "{label}" {{ … }}`'
    if (found == '"' and name.endswith("{")) or (found in (".", "/") and _NAME_PART.search(name)):
        return 'write an object, in which names may be quoted: `labels = { "example.com/team" = "shop" }`'
    if found in (":", "=", "==") and name and "=" not in name:
        return f"write `{name} = …`"
    if found == ":" and b"=" in before:
        return 'quote the value: "…"'
    if found == "\\":
        escape = rest[:2]
        return f'`{escape}` is not an escape; known are \\n, \\r, \\t, \\", \\\\, \\uNNNN and \\UNNNNNNNN'
    if found in ("}", "]", ")"):
        return f"remove it: there is nothing that `{found}` closes"
    if found == "\ufeff":
        return "save the file as UTF-8 without a byte order mark"
    if (not before and found[:1] in ('"', "{", "[")) or found[:1].isdigit():
        return "write `name = value` or `name { … }`; names have no quotes and begin with a letter"
    return None


def _ends_attribute(before: bytes) -> bool:
    """Whether a line has an attribute up to here, and no list, call or object that has commas is open."""
    brace = before.rfind(b"{")
    has_open_object = brace > before.rfind(b"}") and before[:brace].rstrip().endswith(b"=")
    has_open_list = any(before.rfind(opener) > before.rfind(closer) for opener, closer in ((b"[", b"]"), (b"(", b")")))
    return b"=" in before and not has_open_object and not has_open_list


def _no_value(end: int) -> SyntaxProblem:
    message, advice = "expected a value after `=`", "begin the value on the same line"
    return SyntaxProblem(Span(end - 1, end), message, advice, remedy=SkipLine(end - 1))


def _unclosed_block(source: Source, data: bytes, block: "Node") -> SyntaxProblem:
    """Return the problem of a block that runs to the end of the file. Indentation shows where it was meant to end."""
    start = next((child for child in block.children if child.type == "block_start"), block)
    header = _header(source, block)
    opening = Span(block.start_byte, start.end_byte)
    body = next((child for child in block.children if child.type == "body"), None)
    blocks = [child for child in body.children if child.type == "block"] if body is not None else []
    for child in blocks:
        closer = child.children[-1]
        outdented = closer.start_point.column < child.start_point.column
        if closer.type == "block_end" and outdented and closer.start_point.row > child.start_point.row:
            # Its brace is aligned with the outer block: its own is the missing one.
            opening = Span(child.start_byte, child.children[0].end_byte)
            header = source.text(opening)
            break
    for child in blocks:
        if child.start_point.column <= block.start_point.column:
            gap = len(data[: child.start_byte].rstrip())
            before = child.start_byte - 1
            row, _ = source.position(child.start_byte)
            return SyntaxProblem(
                opening,
                f"`{header}` is never closed; expected `}}`",
                f"close the block with `}}` on a line of its own, before `{_header(source, child)}` in line {row}",
                related=(("before this", Span(child.start_byte, child.children[0].end_byte)),),
                remedy=Insert(before, b"}") if before >= gap else None,
            )
    row, column = source.position(opening.start)
    advice = f"close the block, opened at {row}:{column}, with `}}` on a line of its own at the end of the file"
    message, remedy = f"`{header}` is never closed; expected `}}`", Insert(len(data), b"\n}")
    return SyntaxProblem(opening, message, advice, remedy=remedy)


def _header(source: Source, block: "Node") -> str:
    """Return what stands before the brace of a block."""
    start = next((child for child in block.children if child.type == "block_start"), block)
    return source.text(Span(block.start_byte, min(start.start_byte, block.start_byte + _LONGEST_NAME))).strip()


def _open_comment(data: bytes, at: int) -> int | None:
    return at if data[at : at + 2] == b"/*" and data.find(b"*/", at + 2) < 0 else None


def _open_string(data: bytes, root: "Node", error: "Node") -> Span | None:
    """Return a string before an error that runs over more than one line: its closing quote is missing."""
    if data[error.start_byte : error.start_byte + 1] == b"\\":
        return None
    limit = len(data) if error.type == "ERROR" and error.parent is None else error.start_byte
    pending = [(root, 0)]
    while pending:
        node, owner_end = pending.pop()
        if node.type == "quoted_template_start":
            end = data.find(b"\n", node.start_byte)
            line = data[node.start_byte : end].replace(b'\\"', b"")
            if 0 <= end < owner_end and line.count(b'"') % 2:
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
