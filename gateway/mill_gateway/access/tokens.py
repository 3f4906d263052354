"""The gateway's own tokens: who has one may do everything that the gateway does, or that in some namespaces.

A line of the file is `TOKEN`, or `TOKEN namespace,namespace`. The file is read again when it changes, as a mounted
Secret does. While it is gone, empty or wrong, the tokens that were read last count: the gateway is never open.
What is wrong is told by the line's number: whatever stands in it may be a token.
"""

import hmac
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mill_api import names
from mill_gateway.files import version
from mill_gateway.settings import Settings
from mill_process.settings import SettingsError

log = logging.getLogger(__name__)

LEAST_LENGTH: Final = 8
LOOK_SECONDS: Final = 1.0
"""How often the file is looked at, at most."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Token:
    """One of them."""

    value: str = field(repr=False)
    namespaces: frozenset[str] | None = None
    """Where it counts; None: everywhere."""


class UnreadableTokens(ValueError):
    """What is wrong with tokens, without showing one."""


UNREADABLE: Final = (OSError, UnicodeDecodeError, UnreadableTokens)


def parse(text: str) -> tuple[Token, ...]:
    """Read a file's text. Raise `UnreadableTokens` with all that is wrong."""
    tokens: list[Token] = []
    problems: list[str] = []
    first: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not (words := line.split()):
            continue
        try:
            token = _token(words)
        except UnreadableTokens as error:
            problems.append(f"line {number}: {error}")
            continue
        if (before := first.setdefault(token.value, number)) != number:
            problems.append(f"line {number}: the token of line {before} again")
        tokens.append(token)
    if problems:
        raise UnreadableTokens("; ".join(problems))
    if not tokens:
        raise UnreadableTokens("no token in it")
    return tuple(tokens)


def _token(words: Sequence[str]) -> Token:
    """Read a line that is not empty."""
    value, *rest = words
    if len(rest) > 1:
        raise UnreadableTokens("more than a token and its namespaces (a,b)")
    if len(value) < LEAST_LENGTH:
        raise UnreadableTokens(f"a token of less than {LEAST_LENGTH} characters")
    if not (value.isascii() and value.isprintable()):
        raise UnreadableTokens("a token with characters that are not ASCII, which no header carries")
    if not rest:
        return Token(value)
    namespaces = frozenset(filter(None, rest[0].split(",")))
    if not namespaces or not all(re.fullmatch(names.VOLUME_NAME, each) for each in namespaces):
        raise UnreadableTokens("what follows the token is no list of namespaces (a,b)")
    return Token(value, namespaces)


def _fixed(value: str | None) -> tuple[Token, ...]:
    """Read the one token that is a setting of its own."""
    if not value:
        return ()
    words = value.split()  # a Secret's value often ends with a newline
    if len(words) != 1:
        raise UnreadableTokens("one token is expected, without spaces; several are for MILL_ADMIN_TOKENS_FILE")
    return (_token(words),)


class Tokens:
    """The tokens of the settings, as the file has them now."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._fixed: tuple[Token, ...] = ()
        self._file = Path(settings.admin_tokens_file) if settings.admin_tokens_file else None
        self._clock = clock
        self._looked = clock()
        self._from_file: tuple[Token, ...] = ()
        self._version: tuple[int, ...] | None = None
        self._told = False
        """Whether the log has heard that the file cannot be read."""
        problems = []
        try:
            self._fixed = _fixed(settings.admin_token)
        except UnreadableTokens as error:
            problems.append(f"MILL_ADMIN_TOKEN: {error}")
        if self._file is not None:
            try:
                self._read(self._file)
            except UNREADABLE as error:
                problems.append(f"MILL_ADMIN_TOKENS_FILE={self._file}: {_words(error)}")
        if problems:
            raise SettingsError("\n".join(problems))

    def find(self, presented: str) -> Token | None:
        """Return the token that was presented, if it is one. It is compared in constant time, with every one."""
        self._look()
        found = None
        for token in (*self._fixed, *self._from_file):
            if hmac.compare_digest(presented.encode(), token.value.encode()):
                found = token
        return found

    def _look(self) -> None:
        """Read the file again if it has changed."""
        if self._file is None or self._clock() - self._looked < LOOK_SECONDS:
            return
        self._looked = self._clock()
        try:
            if self._read(self._file):
                log.info("%s: %d tokens read", self._file, len(self._from_file))
            self._told = False
        except UNREADABLE as error:
            if not self._told:
                log.warning("%s: %s; the tokens of before still count", self._file, _words(error))
            self._told = True

    def _read(self, file: Path) -> bool:
        """Take what the file has, unless that is known. Tell whether it was taken."""
        found = version(file)  # before its text, so that what is written in between is read next time
        if found == self._version:
            return False
        self._from_file = parse(file.read_text(encoding="utf-8"))
        self._version = found
        return True


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "cannot be read"
    return "is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
