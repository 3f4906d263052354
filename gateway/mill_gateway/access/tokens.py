"""Admin tokens: a caller with one may do everything that the gateway may, or everything in some namespaces.

A line of the file is `TOKEN`, or `TOKEN namespace,namespace`. The gateway reads the file again when it changes, as the
file of a mounted Secret does. While the file is missing, empty or invalid, the tokens that were read last stay valid:
the gateway is never open. Errors name the line by its number, since any part of it may be a token.
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
CHECK_SECONDS: Final = 1.0
"""Shortest time between two checks of the file."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Token:
    """One admin token."""

    value: str = field(repr=False)
    namespaces: frozenset[str] | None = None
    """The namespaces in which the token is valid; None for all."""


class InvalidTokens(ValueError):
    """The problems of tokens; the message contains no token."""


UNREADABLE: Final = (OSError, UnicodeDecodeError, InvalidTokens)


def parse(text: str) -> tuple[Token, ...]:
    """Read the text of a file. Raise `InvalidTokens` with all problems."""
    tokens: list[Token] = []
    problems: list[str] = []
    first_lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not (fields := line.split()):
            continue
        try:
            token = _parse_line(fields)
        except InvalidTokens as error:
            problems.append(f"line {number}: {error}")
            continue
        if (first := first_lines.setdefault(token.value, number)) != number:
            problems.append(f"line {number}: the token of line {first} again")
        tokens.append(token)
    if problems:
        raise InvalidTokens("; ".join(problems))
    if not tokens:
        raise InvalidTokens("the file has no token")
    return tuple(tokens)


def _parse_line(fields: Sequence[str]) -> Token:
    """Read a line that is not empty."""
    value, *rest = fields
    if len(rest) > 1:
        raise InvalidTokens("more than a token and its namespaces (a,b)")
    if len(value) < LEAST_LENGTH:
        raise InvalidTokens(f"the token has fewer than {LEAST_LENGTH} characters")
    if not (value.isascii() and value.isprintable()):
        raise InvalidTokens("the token has characters that are not ASCII, which a header cannot carry")
    if not rest:
        return Token(value)
    namespaces = frozenset(filter(None, rest[0].split(",")))
    if not namespaces or not all(re.fullmatch(names.VOLUME_NAME, each) for each in namespaces):
        raise InvalidTokens("the text after the token is not a list of namespaces (a,b)")
    return Token(value, namespaces)


def _parse_setting(value: str | None) -> tuple[Token, ...]:
    """Read the setting of a single token."""
    if not value:
        return ()
    fields = value.split()  # the value of a Secret often ends with a newline
    if len(fields) != 1:
        raise InvalidTokens("expected one token without spaces; MILL_ADMIN_TOKENS_FILE can have several")
    return (_parse_line(fields),)


class Tokens:
    """The admin tokens of the settings, and of the current version of the file."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        """Read the tokens. Raise `SettingsError` with all problems."""
        self._of_setting: tuple[Token, ...] = ()
        self._file = Path(settings.admin_tokens_file) if settings.admin_tokens_file else None
        self._clock = clock
        self._checked_at = clock()
        self._of_file: tuple[Token, ...] = ()
        self._version: tuple[int, ...] | None = None
        self._failed = False
        """Whether the log says that the file cannot be read."""
        problems = []
        try:
            self._of_setting = _parse_setting(settings.admin_token)
        except InvalidTokens as error:
            problems.append(f"MILL_ADMIN_TOKEN: {error}")
        if self._file is not None:
            try:
                self._read(self._file)
            except UNREADABLE as error:
                problems.append(f"MILL_ADMIN_TOKENS_FILE={self._file}: {_message(error)}")
        if problems:
            raise SettingsError("\n".join(problems))

    def find(self, presented: str) -> Token | None:
        """Return the token that a request presents, or None. The comparison with each token takes constant time."""
        self._read_if_changed()
        found = None
        for token in (*self._of_setting, *self._of_file):
            if hmac.compare_digest(presented.encode(), token.value.encode()):
                found = token
        return found

    def _read_if_changed(self) -> None:
        if self._file is None or self._clock() - self._checked_at < CHECK_SECONDS:
            return
        self._checked_at = self._clock()
        try:
            if self._read(self._file):
                log.info("%s: read %d tokens", self._file, len(self._of_file))
            self._failed = False
        except UNREADABLE as error:
            if not self._failed:
                log.warning("%s: %s; the previous tokens stay valid", self._file, _message(error))
            self._failed = True

    def _read(self, file: Path) -> bool:
        """Read the file, and return whether it has changed."""
        found = version(file)  # before the text, so that the next check finds a change in between
        if found == self._version:
            return False
        self._of_file = parse(file.read_text(encoding="utf-8"))
        self._version = found
        return True


def _message(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "cannot be read"
    return "is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
