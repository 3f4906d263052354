"""Changes of a text after which tree-sitter can read on behind a syntax error. No offset changes.

`syntax_errors` says what an error is and names a remedy; this module makes bytes of the remedy.
"""

import re
from typing import Final, NamedTuple

from mill_language.source import Source

PLACEHOLDER: Final = b"_"
"""Type of the block that stands for one whose header could not be read."""

_EXPONENT: Final = re.compile(rb"(?<![\w.-])[0-9]+[eE][-+]?[0-9]+(?![\w.])")
"""A number that tree-sitter's grammar does not accept: it has exponents only behind a fraction."""


class SkipLine(NamedTuple):
    """Skip the line of the byte `at`, which the error is about."""

    at: int


class Insert(NamedTuple):
    """Put a closing brace over a blank, or behind the last byte."""

    at: int
    text: bytes


Remedy = SkipLine | Insert


class Repair(NamedTuple):
    """Bytes to write over others, or behind the last."""

    start: int
    text: bytes
    placeholder: int | None = None
    """Offset of the block that stands for a skipped header."""

    def apply(self, data: bytes) -> bytes:
        """Return the text with these bytes in it."""
        return data[: self.start] + self.text + data[self.start + len(self.text) :]


def repair(source: Source, data: bytes, remedy: Remedy) -> Repair | None:
    """Return the bytes of a remedy; None if it would change nothing. `data` is the text with earlier repairs."""
    if isinstance(remedy, Insert):
        return Repair(remedy.at, remedy.text)
    return _skip_line(source, data, remedy.at)


def as_parsed(line: bytes) -> bytes:
    """Replace each number that the grammar does not accept by one of the same length that it does."""
    return _EXPONENT.sub(lambda match: b"0" * len(match[0]), line)


def _skip_line(source: Source, data: bytes, at: int) -> Repair | None:
    """Blank out a line, except for the braces that it opens or closes, on which the rest of the file depends."""
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
    if not text.strip() or text != as_parsed(source.data[line.start : line.end]):
        return None  # it was skipped before
    # A closing brace that is the error itself goes too, and so does a line without anything else.
    if data[at : at + 1] == b"}" and text.strip() == b"}":
        closes = 0
    kept = b"}" * closes + b" " + (PLACEHOLDER + b" {") * opens
    if len(kept.strip()) > len(text):
        kept = b""
    blank = b"".join(b"\r" if byte == 0x0D else b" " for byte in text)
    kept = kept.strip()
    placeholder = line.start + kept.find(PLACEHOLDER) if opens and kept else None
    return Repair(line.start, kept + blank[len(kept) :], placeholder)
