"""Patterns for foreign text: each is matched in time that is linear in the length of the text.

The engine is RE2, which has no backtracking: https://github.com/google/re2/wiki/Syntax. It has no look-around either;
see docs/decisions/0012-foreign-text-is-matched-in-linear-time.md. Flags are written into the pattern: `(?i)`, `(?s)`,
`(?m)`. A test collects every pattern that is made here and measures it.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import re2


class Found(Protocol):
    """A match."""

    def __getitem__(self, group: int | str) -> str: ...
    def group(self, group: int | str = 0, /) -> str: ...
    def groups(self, default: str) -> tuple[str, ...]: ...
    def groupdict(self, default: str) -> dict[str, str]: ...
    def start(self, group: int | str = 0, /) -> int: ...
    def end(self, group: int | str = 0, /) -> int: ...


class Pattern(Protocol):
    """A compiled pattern that is looked for once in a text."""

    @property
    def pattern(self) -> str: ...
    def search(self, text: str, /) -> Found | None: ...
    def match(self, text: str, /) -> Found | None: ...
    def fullmatch(self, text: str, /) -> Found | None: ...


class Repeated(Pattern, Protocol):
    """A compiled pattern that is looked for again and again in a text."""

    def finditer(self, text: str, /) -> Iterator[Found]: ...
    def sub(self, repl: str | Callable[[Found], str], text: str, /) -> str: ...


MADE: Final[list[Pattern]] = []
"""Every pattern that was made."""
MADE_REPEATED: Final[list[Repeated]] = []
"""Patterns of repeated searches. They must not look far ahead for what may not come: each search would look again."""


def pattern(regex: str) -> Pattern:
    """Compile a pattern. Raises `re2.error` if it is none, or has what RE2 lacks."""
    made: Pattern = _compiled(regex)
    MADE.append(made)
    return made


def repeated(regex: str) -> Repeated:
    """Compile a pattern of which all occurrences are looked for."""
    made: Repeated = _compiled(regex)
    MADE.append(made)
    MADE_REPEATED.append(made)
    return made


def literal(text: str) -> str:
    """Return the pattern that matches this text alone."""
    escaped: str = re2.escape(text)
    return escaped


def _compiled(regex: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # it would write to stderr whatever of a text it has no memory for
    return re2.compile(regex, options)
