"""The gateway's own tokens: who has one may do everything that the gateway does, or that in some namespaces.

A line of the file is `TOKEN`, or `TOKEN namespace,namespace`. The file is read again when it changes, as a mounted
Secret does. While it is gone, empty or wrong, the tokens that were read last count: the gateway is never open.
"""

import hmac
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mill_api.settings import SettingsError
from mill_gateway.settings import Settings

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


def parse(text: str) -> tuple[Token, ...]:
    """Read a file's text. Raise `UnreadableTokens` with all that is wrong."""
    tokens, problems = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) > 2:
            problems.append(f"line {number}: more than a token and its namespaces (a,b)")
        elif len(words[0]) < LEAST_LENGTH:
            problems.append(f"line {number}: a token of less than {LEAST_LENGTH} characters")
        else:
            namespaces = frozenset(filter(None, words[1].split(","))) if len(words) == 2 else None
            tokens.append(Token(words[0], namespaces))
    if problems:
        raise UnreadableTokens("; ".join(problems))
    if not tokens:
        raise UnreadableTokens("no token in it")
    return tuple(tokens)


class Tokens:
    """The tokens of the settings, as the file has them now."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._fixed = (Token(settings.token),) if settings.token else ()
        self._file = Path(settings.token_file) if settings.token_file else None
        self._clock = clock
        self._looked = clock()
        self._from_file: tuple[Token, ...] = ()
        self._version: tuple[int, ...] | None = None
        if self._file is not None:
            try:
                self._version = _version(self._file)
                self._from_file = parse(self._file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, UnreadableTokens) as error:
                raise SettingsError(f"MILL_TOKEN_FILE={self._file}: {_words(error)}") from error

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
            version = _version(self._file)
            if version == self._version:
                return
            self._version = version
            self._from_file = parse(self._file.read_text(encoding="utf-8"))
            log.info("%s: %d tokens read", self._file, len(self._from_file))
        except (OSError, UnicodeDecodeError, UnreadableTokens) as error:
            if self._version != ():
                log.warning("%s: %s; the tokens of before still count", self._file, _words(error))
            self._version = ()


def _version(file: Path) -> tuple[int, ...]:
    """Return what differs when a file has changed, also by another one that takes its name."""
    seen = os.stat(file)  # noqa: PTH116 - follows the links that a mounted Secret consists of
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "cannot be read"
    return "is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
