"""The tokens of a `.mill` file, comments included: what the formatter puts onto lines.

A value is one token as it is written, except for lists and objects, whose brackets and commas are tokens of their own.
"""

from collections.abc import Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    """A name, a label, or a value as it is written."""
    ASSIGN = auto()
    COLON = auto()
    COMMA = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMENT = auto()


class Token(NamedTuple):
    """A token and the blanks before it."""

    kind: Kind
    text: str
    blanks: bytes
    """Blanks between it and the token before."""
    is_block: bool = False
    """Whether it is a brace of a block."""
    is_wide: bool = False
    """Whether it is a brace of a block that has more than one line."""

    @property
    def has_lines(self) -> bool:
        """Whether a line ends within it."""
        return "\n" in self.text


_PUNCTUATION: Final = {"=": Kind.ASSIGN, ":": Kind.COLON, ",": Kind.COMMA}
_BRACKETS: Final = {
    **dict.fromkeys(("block_start", "tuple_start", "object_start"), Kind.OPEN),
    **dict.fromkeys(("block_end", "tuple_end", "object_end"), Kind.CLOSE),
}


def tokens(data: bytes, root: "Node") -> Iterator[Token]:
    """Yield the tokens of a file without syntax errors, in their order."""
    at = 0
    for kind, node in _nodes(root):
        start, end = node.start_byte, node.end_byte
        if kind is Kind.COMMENT:  # a line may end with CRLF
            end = start + len(data[start:end].rstrip(b" \t\r"))
        if start == end:
            continue
        block = node.parent if node.type in ("block_start", "block_end") else None
        is_wide = block is not None and b"\n" in data[_opening(block) : block.end_byte]
        yield Token(kind, data[start:end].decode(), data[at:start], block is not None, is_wide)
        at = end


def _nodes(root: "Node") -> Iterator[tuple[Kind, "Node"]]:
    pending = root.children[::-1]
    while pending:
        node = pending.pop()
        name, children = node.type, node.children
        if name == "comment":
            yield Kind.COMMENT, node
        elif name in _BRACKETS:
            yield _BRACKETS[name], node
        elif name in _PUNCTUATION:
            yield _PUNCTUATION[name], node
        elif not children or name in ("identifier", "string_lit") or (name == "expression" and not _is_list(children)):
            yield Kind.TEXT, node
        else:
            pending.extend(reversed(children))


def _is_list(children: "list[Node]") -> bool:
    """Whether an expression is a list or an object."""
    return len(children) == 1 and children[0].type == "collection_value"


def _opening(block: "Node") -> int:
    return next((child.start_byte for child in block.children if child.type == "block_start"), block.start_byte)
