"""Variables of a file: `${var.NAME}` in its strings is replaced by the variable's value, before anything is decoded.

Values are text, and never become syntax. Only files that declare a variable are changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import is_not
from typing import Final

from mill_api.reference_advice import declare
from mill_language.decode import Decoded
from mill_language.diagnostics import did_you_mean
from mill_language.refusals import VARIABLE
from mill_language.source import Span
from mill_language.strings import InvalidString, Text
from mill_language.syntax import Attribute, Block, Body, Expression, Sequence, Value

MAX_INSERTED: Final = 256 * 1024
"""Characters that the variables of one file may add to it."""
UNKNOWN_VALUE: Final = "1"
"""Stands for a value that is missing, which is reported already: it is valid as a name, a number and a path's part."""

_REFERENCE: Final = re.compile(r"\$\{[ \t]*var\.([A-Za-z0-9_-]+)[ \t]*\}")
_ALMOST: Final = re.compile(r"(?:\$\{)?\s*var\b")


@dataclass(slots=True)
class Substitution:
    """The values of a file's variables, and what became of them."""

    values: Mapping[str, str]
    decoded: Decoded
    used: set[str] = field(default_factory=set)
    _inserted: int = 0

    def items(self, items: tuple[Attribute | Block, ...]) -> tuple[Attribute | Block, ...]:
        """Return items with all strings in them resolved, labels included."""
        resolved = [self._block(each) if isinstance(each, Block) else self._attribute(each) for each in items]
        return tuple(resolved) if any(map(is_not, resolved, items)) else items

    def _attribute(self, item: Attribute) -> Attribute:
        value = self._value(item.value)
        return item if value is item.value else Attribute(item.name, item.name_span, value)

    def _block(self, item: Block) -> Block:
        items = self.items(item.body.items)
        if items is item.body.items and not item.label_texts:
            return item
        labels = item.labels
        if item.label_texts:
            labels = tuple(
                (self._label(text, label) if text is not None else label, span)
                for (label, span), text in zip(item.labels, item.label_texts, strict=True)
            )
        return Block(item.name, item.name_span, labels, Body(item.body.span, items), item.header)

    def _label(self, text: Text, written: str) -> str:
        try:
            return self._text(text).plain()
        except InvalidString as error:
            self.decoded.report(text.span, str(error))
            return written

    def _value(self, value: Value) -> Value:
        match value:
            case Text():
                return self._text(value)
            case Sequence():
                return Sequence(value.span, tuple(self._value(each) for each in value.items))
            case Body():
                return Body(value.span, self.items(value.items))
            case Expression():
                return self._expression(value)
            case _:
                return value

    def _expression(self, value: Expression) -> Value:
        match = VARIABLE.fullmatch(value.text)
        if match is not None:
            return self._bare(self._of(match[1], value.span), value.span)
        if _ALMOST.match(value.text):
            self._refuse(value.text, value.span)
            return self._bare(UNKNOWN_VALUE, value.span)
        return value

    def _bare(self, given: str, span: Span) -> Text:
        return Text(span, ((given, False),), inserted=frozenset({0}), resolved=True, bare=True)

    def _text(self, text: Text) -> Text:
        for part, _ in text.parts:
            if "var" in part:
                return self._resolved(text)
        return text

    def _resolved(self, text: Text) -> Text:
        parts: list[tuple[str, bool]] = []
        inserted: set[int] = set()
        is_escaped = False
        for part, is_template in text.parts:
            match = _REFERENCE.fullmatch(part) if is_template else None
            if match is not None:
                inserted.add(len(parts))
                parts.append((self._of(match[1], text.span), False))
                continue
            if is_template and _ALMOST.match(part):
                self._refuse(part, text.span)
                inserted.add(len(parts))
                parts.append((UNKNOWN_VALUE, False))
                continue
            is_escaped |= not is_template and "$${var." in part
            parts.append((part, is_template))
        if not inserted and not is_escaped:
            return text
        return Text(text.span, tuple(parts), text.heredoc, frozenset(inserted), resolved=True)

    def _of(self, name: str, span: Span) -> str:
        value = self.values.get(name)
        if value is None:
            advice = did_you_mean(name, self.values) or declare(name)
            self.decoded.report(span, f"unknown variable '{name[:100]}'", advice=advice, parse_error=False)
            return UNKNOWN_VALUE
        self.used.add(name)
        self._inserted += len(value)
        if self._inserted > MAX_INSERTED:
            if self._inserted - len(value) <= MAX_INSERTED:
                message = f"the variables of the file add more than {MAX_INSERTED:,} characters to it"
                self.decoded.report(span, message, parse_error=False)
            return UNKNOWN_VALUE
        return value

    def _refuse(self, text: str, span: Span) -> None:
        shown = " ".join(text.split())[:100]
        advice = "write ${var.NAME}, with nothing else between the braces"
        self.decoded.report(span, f"`{shown}` is not the name of a variable", advice=advice, parse_error=False)
