"""Fenced blocks of the documentation: commands with what they print, and files.

A comment on the line before a block says how it is checked, where it is not simply run with the rest of its page:

    <!-- not run: why -->          its commands are only checked for options that exist
    <!-- checked: path::test -->   that test compares its output
    <!-- typed: y -->              what a person answers to the last command
    <!-- background -->            the first command runs until the others have ended, then Ctrl-C ends it
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PROMPT: Final = "$ "
CONTINUED: Final = "\\"
_FENCE: Final = re.compile(r"```(\w*)")
_NOTE: Final = re.compile(r"<!-- (not run|checked|typed|background)(?:: (.*?))? -->")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what it prints."""

    command: str
    output: tuple[str, ...]
    at: int
    """Number of its first line of output in the page, from 0."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    page: Path
    line: int
    """Number of its first line between the fences, from 0."""
    language: str
    lines: tuple[str, ...]
    note: str = ""
    """`not run`, `checked`, `typed`, `background`, or nothing."""
    why: str = ""
    """What the note says."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line + 1}"

    @property
    def steps(self) -> list[Step]:
        """The commands of a console block. A line after one that ends with a backslash belongs to the command."""
        found: list[Step] = []
        is_open = False
        for at, line in enumerate(self.lines, self.line):
            if is_open or line.startswith(PROMPT):
                text = line.removeprefix(PROMPT)
                command = f"{found.pop().command}\n{text}" if is_open else text
                found.append(Step(command, (), at + 1))
                is_open = line.endswith(CONTINUED)
            elif found:
                last = found.pop()
                found.append(Step(last.command, (*last.output, line), last.at))
        return found

    @property
    def has_output(self) -> bool:
        """Whether it shows what a command prints."""
        return any(step.output for step in self.steps)


def pages() -> list[Path]:
    """Return the pages that people read, without decisions."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page that begin at the margin."""
    lines = page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        opening = _FENCE.fullmatch(lines[at])
        if opening is None:
            at += 1
            continue
        end = lines.index("```", at + 1)
        note = _NOTE.fullmatch(lines[at - 1]) if at else None
        kind, why = (note[1], note[2] or "") if note else ("", "")
        yield Block(page, at + 1, opening[1], tuple(lines[at + 1 : end]), kind, why)
        at = end + 1
