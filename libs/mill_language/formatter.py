"""The layout of `.mill` files: indentation, alignment and blank lines, as `mill fmt` writes them.

Only blanks between tokens change, so that a file keeps its meaning, its comments and its heredocs. Lines are never
joined, and split only within a block that has several lines.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from mill_language.decode import MAX_DIAGNOSTICS
from mill_language.diagnostics import InvalidConfig, locate
from mill_language.reading import as_source, refuse_other_data
from mill_language.syntax import read_tree
from mill_language.syntax_tree import parse_tree
from mill_language.tokens import Kind, Token, tokens

_INDENT: Final = "  "


def format_file(text: str | bytes, *, filename: str = "<mill>") -> bytes:
    """Return a `.mill` file in its canonical layout. Raises InvalidConfig for one with errors of syntax."""
    source = as_source(text, filename)
    refuse_other_data(source)
    parsed = parse_tree(source)
    problems = sorted(read_tree(source, parsed).problems, key=lambda problem: problem.span)
    if problems or parsed.root is None:
        raise InvalidConfig(
            locate(source, each.span, each.message, advice=each.advice, related=each.related, parse_error=True)
            for each in problems[:MAX_DIAGNOSTICS]
        )
    found = list(tokens(source.data, parsed.root))
    lines = list(_lines(found))
    _indent(lines)
    _place_blanks(lines)
    _align_values(lines)
    _align_comments(lines)
    newline = _newline(found, source.data)
    return "".join(f"{newline if line.blank else ''}{line.text}{newline}" for line in lines).encode()


@dataclass(slots=True)
class _Line:
    """A line: its tokens, and where they are put. A token may go on for more lines."""

    tokens: list[Token]
    blank: bool
    """Whether there is a blank line before it."""
    depth: int = 0
    opens: bool = False
    """Whether a bracket that it opens is closed on another line."""
    name_width: int = 0
    """Columns of its first token, if its `=` is aligned with others."""
    code_width: int = 0
    """Columns of what is before its comment, if that is aligned with others."""

    @property
    def first(self) -> Token:
        return self.tokens[0]

    @property
    def is_comment(self) -> bool:
        """Whether there is nothing but comments."""
        return all(each.kind is Kind.COMMENT for each in self.tokens)

    @property
    def closes(self) -> bool:
        return self.first.kind is Kind.CLOSE

    @property
    def begins_block(self) -> bool:
        return any(each.is_wide and each.kind is Kind.OPEN for each in self.tokens)

    @property
    def is_whole(self) -> bool:
        """Whether nothing in it goes on in another line."""
        return not self.opens and not self.closes and not any(each.has_lines for each in self.tokens)

    @property
    def is_assignment(self) -> bool:
        """Whether its `=` may be aligned with those of its neighbors."""
        if len(self.tokens) < 2 or self.opens or self.first.kind is not Kind.TEXT or self.first.has_lines:
            return False
        return self.tokens[1].kind is Kind.ASSIGN

    @property
    def has_trailing_comment(self) -> bool:
        """Whether its comment may be aligned with those of its neighbors."""
        return self.tokens[-1].kind is Kind.COMMENT and not self.is_comment and self.is_whole

    @property
    def text(self) -> str:
        last = self.tokens[-1]
        if not self.code_width:
            return self._joined(self.tokens)
        return f"{self._joined(self.tokens[:-1]).ljust(self.code_width)} {last.text}"

    @property
    def code(self) -> str:
        """The line up to its trailing comment."""
        return self._joined(self.tokens[:-1])

    def _joined(self, shown: list[Token]) -> str:
        out = [_INDENT * self.depth, shown[0].text.ljust(self.name_width)]
        for before, token in pairwise(shown):
            out += [" " if _is_apart(before, token) else "", token.text]
        return "".join(out)


def _is_apart(before: Token, token: Token) -> bool:
    """Whether there is a blank between two tokens of a line."""
    if Kind.COMMENT in (before.kind, token.kind):
        return True
    if token.kind in (Kind.COMMA, Kind.COLON):
        return False
    if before.kind is Kind.OPEN and token.kind is Kind.CLOSE:
        return False
    return before.text != "[" and token.text != "]"


def _lines(found: list[Token]) -> Iterator[_Line]:
    """Yield the lines as they are, and the items of a block with several lines each on its own."""
    line: list[Token] = []
    blank = False
    for index, token in enumerate(found):
        ends = token.blanks.count(b"\n")
        if line and (ends or _is_split(line[-1], found[index : index + 2])):
            yield _Line(line, blank)
            line, blank = [], ends > 1
        line.append(token)
    if line:
        yield _Line(line, blank)


def _is_split(before: Token, following: list[Token]) -> bool:
    """Whether a line ends between two tokens which stand on one: behind the `{` or before the `}` of such a block."""
    token = following[0]
    if token.kind is Kind.CLOSE and token.is_wide:
        return True
    ends_line = token.kind is Kind.COMMENT and (len(following) < 2 or b"\n" in following[1].blanks)
    return before.kind is Kind.OPEN and before.is_wide and not ends_line


def _indent(lines: list[_Line]) -> None:
    open_at: list[int] = []
    """The indentation of the line of each open bracket."""
    for line in lines:
        line.depth = (open_at[-1] + (not line.closes)) if open_at else 0
        outside = len(open_at)
        for token in line.tokens:
            if token.kind is Kind.OPEN:
                open_at.append(line.depth)
            elif token.kind is Kind.CLOSE:
                open_at.pop()
                outside = min(outside, len(open_at))
        line.opens = len(open_at) > outside


def _place_blanks(lines: list[_Line]) -> None:
    """Put one blank line around each block with several lines, none inside of brackets, and keep one elsewhere."""
    for line in lines[:1]:
        line.blank = False
    for index in reversed(range(1, len(lines))):
        before, line = lines[index - 1], lines[index]
        if line.begins_block:
            _apart_with_comments(lines, index)
        if before.opens or line.closes:
            line.blank = False
        elif before.closes and before.first.is_block:
            line.blank = True


def _apart_with_comments(lines: list[_Line], index: int) -> None:
    """Put a blank line before a line, or before the comments that are directly above it."""
    while index > 0 and not lines[index].blank and lines[index - 1].is_comment:
        index -= 1
    lines[index].blank = index > 0


def _align_values(lines: list[_Line]) -> None:
    for run in _runs(lines, [line.is_assignment for line in lines]):
        width = max(len(line.first.text) for line in run)
        for line in run:
            line.name_width = width


def _align_comments(lines: list[_Line]) -> None:
    for run in _runs(lines, [line.has_trailing_comment for line in lines]):
        width = max(len(line.code) for line in run)
        for line in run:
            line.code_width = width


def _runs(lines: list[_Line], chosen: Iterable[bool]) -> Iterator[list[_Line]]:
    """Yield the runs of chosen lines without blank or other lines between them. A heredoc ends a run."""
    number = 0
    keys: list[int | None] = []
    for line, is_chosen in zip(lines, chosen, strict=True):
        number += line.blank or not is_chosen
        keys.append(number if is_chosen else None)
        number += any(each.has_lines for each in line.tokens)
    for key, run in groupby(zip(keys, lines, strict=True), lambda each: each[0]):
        if key is not None:
            yield [line for _, line in run]


def _newline(found: list[Token], data: bytes) -> str:
    """Return the end of the first line that ends behind a token, as the result has it too."""
    last = data[sum(len(each.blanks) + len(each.text.encode()) for each in found) :]
    blanks = next((each for each in (*(token.blanks for token in found[1:]), last) if b"\n" in each), b"")
    end = blanks.find(b"\n")
    return "\r\n" if blanks[max(0, end - 1) : end] == b"\r" else "\n"
