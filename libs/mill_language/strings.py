"""String literals: escapes, templates and heredocs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Final

from mill_api.references import ESCAPED_OPEN, OPEN, Literal, escape_word, format_word, parse_word
from mill_language.source import Span

_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_SPECIAL: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|\$\$\{|%%\{", re.DOTALL)
_DOLLARS: Final = re.compile(r"(?<!\$)\$++\{")
_TEMPLATE: Final = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")

_SIMPLE_TEMPLATE: Final = re.compile(r"(?<!\$)\$\{[^{}\"]*\}")
_VARIABLE: Final = re.compile(r"(?<!\$)\$\{[ \t]*var\.[A-Za-z0-9_-]+[ \t]*\}")

_IN_BLOCKS: Final = str.maketrans("", "", "\n\t")
_NOT_IN_BLOCKS: Final = re.compile(r"\$\$\{|%%\{")
"""What would need an escape of an escape."""

Parts = tuple[tuple[str, bool], ...]
"""Pieces of source text; whether each is a template (`${…}`, `%{…}`)."""


class InvalidString(ValueError):
    """A string that cannot be decoded."""


@dataclass(slots=True)
class Text:
    """A string literal. Its use decides how it is decoded."""

    span: Span
    parts: Parts
    heredoc: bool = False
    inserted: frozenset[int] = frozenset()
    """The parts that are values of variables."""
    resolved: bool = False
    """Whether it had references to variables, or escaped ones. Then `$${` is `${`, whatever is beside it."""
    bare: bool = False
    """Whether it is a variable without quotes, which may stand for a number, too."""

    def plain(self) -> str:
        """Decode as a plain string. Templates stay as they are written; beside them, so do `$${` and `%%{`."""
        if self.resolved:
            return "".join(text for text, _ in self._characters())
        keep = any(template for _, template in self.parts)
        return "".join(
            text if template else _decode(text, escapes=not self.heredoc, keep=keep) for text, template in self.parts
        )

    def _characters(self) -> Iterator[tuple[str, bool]]:
        """Yield the characters between templates, values of variables included, and the templates as they are."""
        literal = ""
        for index, (text, template) in enumerate(self.parts):
            if not template:
                literal += text if index in self.inserted else _decode(text, escapes=not self.heredoc, keep=False)
                continue
            if literal.endswith("$"):
                raise InvalidString("a `$` before `${…}` would make it text")
            if literal:
                yield literal, False
            literal = ""
            yield text, True
        if literal:
            yield literal, False

    def word(self, *, as_plain: bool) -> str:
        """Decode as a part of a command or as an argument: what is a reference by an escape alone stays escaped.

        `as_plain` keeps `$${` and `%%{` beside templates, as `plain` does.
        """
        if self.resolved:
            return "".join(text if template else escape_word(text) for text, template in self._characters())
        keep = as_plain and any(template for _, template in self.parts)
        return "".join(
            text if template else escape_word(_decode(text, escapes=not self.heredoc, keep=keep))
            for text, template in self.parts
        )

    def value(self) -> str:
        """Decode as a value with references: a literal `${` stays written as `$${`."""
        if self.resolved:
            return "".join(
                text if template else text.replace(OPEN, ESCAPED_OPEN) for text, template in self._characters()
            )
        keep = any(template for _, template in self.parts)
        return "".join(
            text if template else _decode(text, escapes=not self.heredoc, keep=keep, value=True)
            for text, template in self.parts
        )


def block_text(span: Span, parts: Parts) -> Text:
    """Return the text of a heredoc, in which backslashes have no special meaning."""
    return Text(span, parts, heredoc=True)


def is_variable(template: str) -> bool:
    """Whether a template is a reference to a variable."""
    return _VARIABLE.fullmatch(template) is not None


def label_parts(source: str) -> Parts:
    """Split a quoted label into literal text and templates."""
    inner = source[1:-1]
    parts: list[tuple[str, bool]] = []
    at = 0
    for found in _SIMPLE_TEMPLATE.finditer(inner):
        if found.start() > at:
            parts.append((inner[at : found.start()], False))
        parts.append((found[0], True))
        at = found.end()
    if at < len(inner):
        parts.append((inner[at:], False))
    return tuple(parts)


def label_text(source: str) -> str:
    """Decode a quoted label."""
    inner = source[1:-1]
    if _TEMPLATE.search(inner):
        raise InvalidString("a label is a plain string, without ${…}")
    return _decode(inner, escapes=True, keep=False)


def dedent(parts: Parts) -> Parts:
    """Remove the indentation that all lines of a `<<-` heredoc share."""
    lines = "".join("\0" if template else text for text, template in parts).splitlines(keepends=True)
    shared = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
    result: list[tuple[str, bool]] = []
    at_start = True
    for text, template in parts:
        if template:
            result.append((text, True))
            at_start = False
            continue
        margin = re.compile(rf"(?m)^[ \t]{{0,{shared}}}")
        head, newline, tail = ("", "", text) if at_start else text.partition("\n")
        result.append((head + newline + margin.sub("", tail), False))
        at_start = text.endswith("\n")
    return tuple(result)


def quote(text: str) -> str:
    """Return a plain string as a literal that is read back as the same text."""
    return f'"{_escape(text, value=False)}"'


def quote_value(text: str) -> str:
    """Return a value with references as a literal. Its `${…}` and `$${` are syntax and stay unescaped."""
    return f'"{_escape(text, value=True)}"'


def quote_word(text: str) -> str:
    """Return a part of a command as a literal. Its references are syntax; beside them no dollar sign may be one."""
    parts = parse_word(text)
    if all(isinstance(part, Literal) for part in parts):
        return quote("".join(part.text for part in parts if isinstance(part, Literal)))
    return (
        '"'
        + "".join(
            _escape(part.text, value=False).replace("$${", r"\u0024{")
            if isinstance(part, Literal)
            else format_word([part])
            for part in parts
        )
        + '"'
    )


def block_literal(text: str) -> str | None:
    """Return a text of several lines, as `quote_word` takes it, as a heredoc; None if none is read back as the same.

    A heredoc has no escapes but `$${` and `%%{`, and its text ends with a newline.
    """
    if not text.endswith("\n") or text.count("\n") < 2 or not text.translate(_IN_BLOCKS).isprintable():
        return None
    parts = parse_word(text)
    if any(isinstance(part, Literal) and _NOT_IN_BLOCKS.search(part.text) for part in parts):
        return None
    written = "".join(
        part.text.replace("${", "$${").replace("%{", "%%{") if isinstance(part, Literal) else format_word([part])
        for part in parts
    )
    lines = {line.strip() for line in text.split("\n")}
    marker = next(each for each in chain(["EOT"], map("EOT{}".format, count(2))) if each not in lines)
    return f"<<{marker}\n{written}{marker}"


def _escape(text: str, *, value: bool) -> str:
    def dollars(match: re.Match[str]) -> str:
        count = len(match[0]) - 1
        literal = r"\u0024"
        if value:  # one opens a reference, two escape it, and those before them are text
            return literal * (count - 2) + "$" * min(count, 2) + "{"
        return "$${" if count == 1 else literal * count + "{"

    text = text.replace("\\", "\\\\").replace('"', '\\"')
    text = _DOLLARS.sub(dollars, text).replace("%{", "\\u0025{")
    return "".join(character if character.isprintable() else _escape_character(character) for character in text)


def _escape_character(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    code = ord(character)
    return short or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def _decode(text: str, *, escapes: bool, keep: bool, value: bool = False) -> str:
    if "\\" not in text and "$" not in text and "%" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        found = match[0]
        if found == "$${":
            return found if keep or value else "${"
        if found == "%%{":
            return found if keep else "%{"
        if not escapes:
            return found
        decoded = _unescape(match[1])
        # An escaped dollar sign never opens a reference.
        return "$$" if value and decoded == "$" and text[match.end() : match.end() + 1] == "{" else decoded

    return _SPECIAL.sub(replace, text)


def _unescape(escape: str) -> str:
    if len(escape) == 1:
        if escape not in _SIMPLE:
            raise InvalidString(f"`\\{escape}` is not an escape")
        return _SIMPLE[escape]
    code = int(escape[1:], 16)
    if code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        raise InvalidString(f"`\\{escape}` is not a character")
    return chr(code)
