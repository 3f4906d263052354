"""`.mill` text as light, typed syntax nodes with their places, without any knowledge of services.

Objects become bodies, so that `env = { A = "1" }` and `env { A = "1" }` have the same nodes. Nothing changes a node;
they are not frozen all the same, since that would double the time in which they are made.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mill_language.source import Source, Span
from mill_language.strings import InvalidString, Text, block_text, dedent, is_variable, label_parts, label_text
from mill_language.syntax_errors import SyntaxProblem
from mill_language.syntax_tree import Parsed, parse_tree

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEPTH: Final = 10
"""No `.mill` file needs more. Deeper values are not read, and refused by their kind."""

_SIMPLE_STRING: Final = re.compile(rb'"[^"\\$%]*"')
"""Most strings: there is nothing to decode, so that their inner nodes need not be read."""

DECLARATION: Final = re.compile(rb"(?m)^[ \t]*variable\b")
"""A file without it declares no variable: references to variables are nothing special in it."""

_KINDS: Final = {
    "operation": "Operation",
    "conditional": "Conditional",
    "function_call": "FuncCall",
    "for_expr": "ForExpr",
    "variable_expr": "Variable",
}


@dataclass(slots=True)
class Number:
    """A number as it is written."""

    span: Span
    text: str


@dataclass(slots=True)
class Constant:
    """`true`, `false` or `null`."""

    span: Span
    value: bool | None


@dataclass(slots=True)
class Sequence:
    """A list."""

    span: Span
    items: "tuple[Value, ...]"


@dataclass(slots=True)
class Expression:
    """Anything else: a reference, a call, an operation. It is never evaluated."""

    span: Span
    text: str
    kind: str


@dataclass(slots=True)
class Attribute:
    """`name = value`, in a body or in an object."""

    name: str
    name_span: Span
    value: "Value"


@dataclass(slots=True)
class Block:
    """`name label … { … }`."""

    name: str
    name_span: Span
    labels: tuple[tuple[str, Span], ...]
    body: "Body"
    header: Span
    label_texts: tuple[Text | None, ...] = ()
    """The labels in which there are references to variables, if there are any."""


@dataclass(slots=True)
class Body:
    """The items between braces, or those of the whole file."""

    span: Span
    items: tuple[Attribute | Block, ...]


Value = Text | Number | Constant | Sequence | Expression | Body


@dataclass(frozen=True, slots=True)
class File:
    """A file: the syntax that could be read, and the problems."""

    body: Body
    problems: tuple[SyntaxProblem, ...]
    whole: bool
    """Whether nothing was skipped, so that a missing item is really missing."""

    def service_names(self) -> list[str]:
        """Return the names of the services that could be read, each once, in their order."""
        found: dict[str, None] = {}
        for item in self.body.items:
            if item.name != "service":
                continue
            if isinstance(item, Block) and item.labels:
                found[item.labels[0][0]] = None
            elif isinstance(item, Attribute) and isinstance(item.value, Body):
                found |= dict.fromkeys(entry.name for entry in item.value.items)
        return list(found)


def read_file(source: Source) -> File:
    """Read a file's syntax. Never raises."""
    return read_tree(source, parse_tree(source))


def read_tree(source: Source, parsed: Parsed) -> File:
    """Read the syntax of a file whose tree there is already. Never raises."""
    problems = parsed.problems
    whole = not problems
    if parsed.root is None:
        return File(Body(Span(0, 0), ()), tuple(problems), whole=False)
    reader = _Reader(source, parsed.placeholders, problems)
    items: tuple[Attribute | Block, ...] = ()
    for child in parsed.root.children:
        if child.type == "body":
            items = tuple(reader.items(child, 0))
        elif child.type == "object":
            message = "a .mill file is written in HCL, not in JSON"
            problems.append(SyntaxProblem(Span(child.start_byte, child.start_byte + 1), message))
    return File(Body(Span(0, len(source.data)), items), tuple(problems), whole=whole and not problems)


class _Reader:
    def __init__(self, source: Source, placeholders: frozenset[int], problems: list[SyntaxProblem]) -> None:
        self._source = source
        self._data = source.data
        self._placeholders = placeholders
        self._problems = problems
        self._has_variables = DECLARATION.search(source.data) is not None

    def items(self, body: "Node", depth: int) -> Iterator[Attribute | Block]:
        previous: Node | None = None
        for node in body.named_children:
            kind = node.type
            if kind not in ("attribute", "block"):
                continue
            if previous is not None and self._source.same_line(previous.end_byte - 1, node.start_byte):
                self._report(node, "expected a newline before this", "put each attribute and block on its own line")
            previous = node
            if node.start_byte in self._placeholders:
                continue
            item = self._attribute(node, depth) if kind == "attribute" else self._block(node, depth)
            if item is not None:
                yield item

    def _attribute(self, node: "Node", depth: int) -> Attribute | None:
        children = node.children
        name, expression = children[0], children[-1]
        if node.has_error or expression.type != "expression":
            return None
        if not self._source.same_line(name.start_byte, expression.start_byte):
            at = name.end_byte
            self._problems.append(SyntaxProblem(Span(name.start_byte, at), "expected a value on the same line"))
            return None
        return Attribute(self._text(name), _span(name), self.value(expression, depth))

    def _block(self, node: "Node", depth: int) -> Block | None:
        labels: list[tuple[str, Span]] = []
        texts: list[Text | None] = []
        children = node.children
        items: tuple[Attribute | Block, ...] = ()
        header_end = children[0].end_byte
        for child in children[1:]:
            kind = child.type
            if kind in ("string_lit", "identifier"):
                written = self._text(child)
                text = self._label_with_variables(written, child) if kind == "string_lit" else None
                texts.append(text)
                try:
                    is_plain = kind == "string_lit" and text is None
                    labels.append((label_text(written) if is_plain else written, _span(child)))
                except InvalidString as error:
                    self._report(child, str(error), None)
                    return None
            if kind in ("string_lit", "identifier", "block_start"):
                if not self._source.same_line(header_end, child.start_byte):
                    self._report(children[0], "expected `{` or `=` after this, on the same line", None)
                    return None
                header_end = child.end_byte if kind != "block_start" else header_end
            elif kind == "body" and depth < MAX_DEPTH:
                items = tuple(self.items(child, depth + 1))
        header = Span(node.start_byte, header_end)
        body = Body(Span(header_end, node.end_byte), items)
        label_texts = tuple(texts) if any(texts) else ()
        return Block(self._text(children[0]), _span(children[0]), tuple(labels), body, header, label_texts)

    def _label_with_variables(self, written: str, node: "Node") -> Text | None:
        """Return a label with references to variables, and no others; None for any other one."""
        if not self._has_variables:
            return None
        parts = label_parts(written)
        templates = [part for part, is_template in parts if is_template]
        return Text(_span(node), parts) if templates and all(map(is_variable, templates)) else None

    def value(self, node: "Node", depth: int) -> Value:
        """Read an expression node."""
        span = _span(node)
        raw = self._data[span.start : span.end]
        if raw.isdigit():
            return Number(span, raw.decode())
        if _SIMPLE_STRING.fullmatch(raw):
            return Text(span, ((raw[1:-1].decode("utf-8", "replace"), False),))
        children = node.children
        if len(children) != 1:
            kind = "Parenthesis" if raw[:1] == b"(" and len(children) == 3 else "Traversal"
            return Expression(span, self._text(node), kind)
        return self._single(children[0], span, depth)

    def _single(self, node: "Node", span: Span, depth: int) -> Value:
        kind = node.type
        text = self._text(node)
        if kind in ("literal_value", "template_expr"):
            return self._literal(node.children[0], span)
        if kind == "collection_value" and depth < MAX_DEPTH:
            collection = node.children[0]
            if collection.type == "tuple":
                parts = (child for child in collection.named_children if child.type == "expression")
                return Sequence(span, tuple(self.value(part, depth + 1) for part in parts))
            elements = (child for child in collection.named_children if child.type == "object_elem")
            return Body(span, tuple(self._element(element, depth + 1) for element in elements))
        if kind == "operation" and text[:1] == "-" and _is_number(text[1:].lstrip()):
            return Number(span, "-" + text[1:].lstrip())
        return Expression(span, text, _KINDS.get(kind, "Expression"))

    def _literal(self, node: "Node", span: Span) -> Value:
        kind = node.type
        text = self._text(node)
        if kind == "numeric_lit":
            if not _is_number(text):
                self._report(node, f"unexpected `{text}`", "numbers are decimal")
                return Number(span, "0")
            return Number(span, text)
        if kind == "bool_lit":
            return Constant(span, text == "true")
        if kind == "null_lit":
            return Constant(span, None)
        if kind == "heredoc_template":
            return self._heredoc(node, span)
        return Text(span, self._parts(node, span.start + 1, span.end - 1))

    def _heredoc(self, node: "Node", span: Span) -> Text:
        first = self._data.find(b"\n", node.start_byte) + 1
        last = self._data.rfind(b"\n", first - 1, node.end_byte) + 1
        parts = self._parts(node, first, max(first, last))
        indented = node.children[0].end_byte - node.children[0].start_byte > 2
        return block_text(span, dedent(parts) if indented else parts)

    def _parts(self, node: "Node", start: int, end: int) -> tuple[tuple[str, bool], ...]:
        """Split the bytes between two offsets into literal text and templates. Nodes would leave out blanks."""
        parts: list[tuple[str, bool]] = []
        at = start
        for child in node.children:
            if child.type in ("template_interpolation", "template_directive"):
                if child.start_byte > at:
                    parts.append((self._text_of(at, child.start_byte), False))
                parts.append((self._text(child), True))
                at = child.end_byte
        if end > at:
            parts.append((self._text_of(at, end), False))
        return tuple(parts)

    def _element(self, node: "Node", depth: int) -> Attribute:
        children = [child for child in node.children if child.type == "expression"]
        key, value = children[0], children[-1]
        read = self.value(key, depth)
        name = self._text(key)
        if isinstance(read, Text):
            try:
                name = read.plain()
            except InvalidString as error:
                self._report(key, str(error), None)
        return Attribute(name, _span(key), self.value(value, depth))

    def _report(self, node: "Node", message: str, advice: str | None) -> None:
        if not self._problems or self._problems[-1].span.start != node.start_byte:
            self._problems.append(SyntaxProblem(_span(node), message, advice))

    def _text(self, node: "Node") -> str:
        return self._text_of(node.start_byte, node.end_byte)

    def _text_of(self, start: int, end: int) -> str:
        return self._data[start:end].decode("utf-8", "replace")


def _span(node: "Node") -> Span:
    return Span(node.start_byte, node.end_byte)


def _is_number(text: str) -> bool:
    return text[:1].isdigit() and text[:2].lower() != "0x"
