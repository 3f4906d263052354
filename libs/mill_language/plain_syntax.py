r"""The forms of nearly all `.mill` files: the same nodes as `syntax` has of them, in less than half the time.

A file with any other form is left to `syntax`, which knows the whole grammar and all errors: block comments, operators,
`%{`, `$$`, escapes such as `\u00e9`, and every file with an error of syntax.
"""

import re
from typing import Final

from mill_language.source import Source, Span
from mill_language.strings import Text, block_text, dedent, is_variable
from mill_language.syntax import (
    DECLARATION,
    MAX_DEPTH,
    Attribute,
    Block,
    Body,
    Constant,
    Expression,
    File,
    Number,
    Sequence,
    Value,
)

_NAME = rb"[A-Za-z_][A-Za-z0-9_-]*+"
_PATH = rb"%s(?:\.%s)*+" % (_NAME, _NAME)
_CALL = rb"secret\(%s\)" % _PATH
_LITERAL = rb'(?:[^"\\$%\n]++|\\[nrt"\\]|%(?!\{)|\$(?![${]))'
_TEMPLATE = rb"\$\{(?:%s|%s\.%s)\}" % (_CALL, _NAME, _PATH)
_STRING = rb'"(?:%s|%s)*+"' % (_LITERAL, _TEMPLATE)
_END = rb"[ \t\r]*+(?:(?:#|//)[^\n]*+)?(?:\n|\Z)"

_BLANK: Final = re.compile(rb"(?:%s)++" % _END.replace(rb"(?:\n|\Z)", rb"\n"))
"""Lines without anything but comments."""
_LAST: Final = re.compile(rb"[ \t\r]*+(?:(?:#|//)[^\n]*+)?\Z")
_REST: Final = re.compile(_END)
"""What follows an item on its line."""
_ITEM: Final = re.compile(
    rb"[ \t]*+(?:(?P<close>\})|(?P<name>%s)(?:[ \t]*+(?P<assign>=)[ \t]*+|(?P<labels>(?:[ \t]++(?:%s|%s))*+)[ \t]*+\{))"
    % (_NAME, _STRING, _NAME)
)
"""The beginning of an item: its name with `=` or `{`; or the end of a block."""
_VALUE: Final = re.compile(
    rb'(?P<simple>"[^"\\$%%\n]*+")|(?P<string>%s)|(?P<number>-?[0-9]++(?:\.[0-9]++)?(?![\w.]))|(?P<list>\[)|(?P<object>\{)'
    rb"|(?P<call>%s)|(?P<path>%s)(?![\w.([-])|(?P<heredoc><<-?[A-Za-z_][A-Za-z0-9_]*+\r?\n)" % (_STRING, _CALL, _PATH)
)
_SIMPLE: Final = re.compile(rb'[ \t]*+(%s)[ \t]*+=[ \t]*+(?:("[^"\\$%%\n]*+")|([0-9]++))%s' % (_NAME, _END))
"""The line of an attribute whose value is a string without anything special in it, or a number. Most lines are."""
_KEY: Final = re.compile(rb"(?:(?P<simple>%s)|(?P<string>\"[^\"\\$%%\n]*+\"))[ \t]*+=[ \t]*+" % _NAME)
_LABEL: Final = re.compile(rb"[ \t]++(%s|%s)" % (_STRING, _NAME))
_BLANKS: Final = re.compile(rb"[ \t\r\n]*+")
_BETWEEN: Final = re.compile(rb"[ \t\r\n]*+(?:(?P<comma>,)[ \t\r\n]*+)?(?P<close>\])?")
"""What follows a value in a list. Without a comma or the end of the list it is another form."""
_REFERENCE: Final = re.compile(_TEMPLATE)
_CONSTANTS: Final = {b"true": True, b"false": False, b"null": None}


class _OtherForm(Exception):
    """The file has a form that is not read here."""


def read_plain(source: Source) -> File | None:
    """Read a file that has no other forms than these, and no errors. None for any other one."""
    try:
        return _Reader(source).file()
    except _OtherForm:
        return None


class _Reader:
    def __init__(self, source: Source) -> None:
        self._data = source.data
        self._at = 0
        self._has_variables = DECLARATION.search(source.data) is not None

    def file(self) -> File:
        items = self._items(0)
        return File(Body(Span(0, len(self._data)), items), (), whole=True)

    def _items(self, depth: int) -> tuple[Attribute | Block, ...]:
        """Read the lines of a body, and the brace that closes it, if it is that of a block."""
        data = self._data
        items: list[Attribute | Block] = []
        while True:
            found = _SIMPLE.match(data, self._at)
            if found is not None:
                items.append(_simple(found))
                self._at = found.end()
                continue
            found = _ITEM.match(data, self._at)
            if found is None:
                blank = _BLANK.match(data, self._at)
                if blank is not None:
                    self._at = blank.end()
                    continue
                if depth or not _LAST.match(data, self._at):
                    raise _OtherForm
                return tuple(items)
            self._at = found.end()
            if found["close"]:
                if not depth:
                    raise _OtherForm
                return tuple(items)
            items.append(self._item(found, depth))
            rest = _REST.match(data, self._at)
            if rest is None:
                raise _OtherForm
            self._at = rest.end()

    def _item(self, found: re.Match[bytes], depth: int) -> Attribute | Block:
        name_span = Span(*found.span("name"))
        name = found["name"].decode()
        if found["assign"]:
            return Attribute(name, name_span, self._value(depth))
        return self._block(found, name, name_span, depth)

    def _block(self, found: re.Match[bytes], name: str, name_span: Span, depth: int) -> Block:
        labels: list[tuple[str, Span]] = []
        texts: list[Text | None] = []
        header_end = name_span.end
        at, end = found.span("labels")
        while at < end:
            label = _LABEL.match(self._data, at, end)
            if label is None:
                raise _OtherForm
            at = label.end()
            span = Span(*label.span(1))
            written = label[1].decode()
            text = None
            if "\\" in written:
                raise _OtherForm
            if "${" in written:
                text = Text(span, self._parts(span.start + 1, span.end - 1))
                if not self._has_variables or not all(is_variable(part) for part, template in text.parts if template):
                    raise _OtherForm
            elif written[0] == '"':
                written = written[1:-1]
            texts.append(text)
            labels.append((written, span))
            header_end = span.end
        if depth >= MAX_DEPTH:
            raise _OtherForm
        rest = _REST.match(self._data, self._at)
        if rest is None:
            items = self._line_of_block(depth)
        else:
            self._at = rest.end()
            items = self._items(depth + 1)
        body = Body(Span(header_end, self._at), items)
        label_texts = tuple(texts) if any(texts) else ()
        return Block(name, name_span, tuple(labels), body, Span(name_span.start, header_end), label_texts)

    def _line_of_block(self, depth: int) -> tuple[Attribute | Block, ...]:
        """Read `{}`, or a block with one attribute on its line."""
        items: tuple[Attribute | Block, ...] = ()
        found = _ITEM.match(self._data, self._at)
        if found is not None and found["assign"]:
            self._at = found.end()
            items = (self._item(found, depth + 1),)
            found = _ITEM.match(self._data, self._at)
        if found is None or not found["close"]:
            raise _OtherForm
        self._at = found.end()
        return items

    def _value(self, depth: int) -> Value:
        data = self._data
        found = _VALUE.match(data, self._at)
        if found is None:
            raise _OtherForm
        start, self._at = span = Span(*found.span())
        match found.lastgroup:
            case "simple":
                return Text(span, ((data[start + 1 : span.end - 1].decode(), False),))
            case "string":
                return Text(span, self._parts(start + 1, span.end - 1))
            case "number":
                return Number(span, found[0].decode())
            case "call":
                return Expression(span, found[0].decode(), "FuncCall")
            case "list":
                return self._list(start, depth)
            case "object":
                return self._object(start, depth)
            case "heredoc":
                return self._heredoc(found)
            case _:
                return self._word(span)

    def _word(self, span: Span) -> Value:
        word = self._data[span.start : span.end]
        if word in _CONSTANTS:
            return Constant(span, _CONSTANTS[word])
        if b"." not in word or word.partition(b".")[0] in _CONSTANTS:
            raise _OtherForm
        return Expression(span, word.decode(), "Traversal")

    def _list(self, start: int, depth: int) -> Sequence:
        data, items = self._data, []
        if depth >= MAX_DEPTH:
            raise _OtherForm
        self._skip_blanks()
        is_open = data[self._at : self._at + 1] != b"]"
        if not is_open:
            self._at += 1
        while is_open:
            items.append(self._value(depth + 1))
            found = _BETWEEN.match(data, self._at)
            if found is None or not found.lastgroup:
                raise _OtherForm
            self._at = found.end()
            is_open = found["close"] is None
        return Sequence(Span(start, self._at), tuple(items))

    def _object(self, start: int, depth: int) -> Body:
        """Read an object whose entries are separated by commas or by new lines."""
        data, items = self._data, []
        if depth >= MAX_DEPTH:
            raise _OtherForm
        is_separated = True
        while True:
            before = self._at
            self._skip_blanks()
            if data[self._at : self._at + 1] == b"}":
                break
            key = _KEY.match(data, self._at)
            if key is None or not (is_separated or b"\n" in data[before : self._at]):
                raise _OtherForm
            name_span = Span(*key.span(key.lastgroup or 0))
            name = key["simple"] or key["string"][1:-1]
            self._at = key.end()
            items.append(Attribute(name.decode(), name_span, self._value(depth + 1)))
            is_separated = data[self._at : self._at + 1] == b","
            self._at += is_separated
        self._at += 1
        return Body(Span(start, self._at), tuple(items))

    def _heredoc(self, found: re.Match[bytes]) -> Text:
        """Read a heredoc up to the first line that is its word. One with templates is left to `syntax`."""
        opening = found[0].strip()
        word = opening.lstrip(b"<-")
        data, first = self._data, found.end()
        last = first
        while (end := data.find(b"\n", last)) >= 0 or last < len(data):
            line = data[last : end if end >= 0 else len(data)]
            if line.strip(b" \t\r") == word and end >= 0:
                break
            if end < 0 or word in line or b"${" in line or b"%{" in line:
                raise _OtherForm
            last = end + 1
        else:
            raise _OtherForm
        self._at = data.index(word, last) + len(word)
        parts = ((data[first:last].decode(), False),) if last > first else ()
        span = Span(found.start(), self._at)
        return block_text(span, dedent(parts) if opening[2:3] == b"-" else parts)

    def _parts(self, start: int, end: int) -> tuple[tuple[str, bool], ...]:
        """Split the bytes between two offsets into literal text and templates."""
        data, at = self._data, start
        parts: list[tuple[str, bool]] = []
        while (opening := data.find(b"${", at, end)) >= 0:
            found = _REFERENCE.match(data, opening)
            if found is None:
                raise _OtherForm
            if opening > at:
                parts.append((data[at:opening].decode(), False))
            parts.append((found[0].decode(), True))
            at = found.end()
        if end > at:
            parts.append((data[at:end].decode(), False))
        return tuple(parts)

    def _skip_blanks(self) -> None:
        blanks = _BLANKS.match(self._data, self._at)
        if blanks is not None:
            self._at = blanks.end()


def _simple(line: re.Match[bytes]) -> Attribute:
    name, string, number = line.groups()
    value: Value
    if number is None:
        value = Text(Span(*line.span(2)), ((string[1:-1].decode(), False),))
    else:
        value = Number(Span(*line.span(3)), number.decode())
    return Attribute(name.decode(), Span(*line.span(1)), value)
