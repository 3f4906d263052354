"""What a `.mill` file gets from outside: values of its variables, and files of environment variables.

`mill` reads them. Others, such as the gateway, give none: a file that needs any is refused by them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from mill_api import names
from mill_api.constraints import MAX_ENV, MAX_TEXT, shown

MAX_VARIABLES: Final = 100
"""Variables of one file."""
MAX_VALUE: Final = 4096
"""Characters of the value of a variable."""
MAX_ENV_FILE_BYTES: Final = 64 * 1024
"""Bytes of a file with environment variables, or with values of variables."""

VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", re.ASCII)
_ENV_NAME: Final = re.compile(names.ENV_NAME)
_LINE: Final = re.compile(r"(?:export[ \t]+)?([^=\s#]+)[ \t]*=[ \t]*(.*)")
_COMMENT: Final = re.compile(r"(?:^|[ \t])#")
_ESCAPE: Final = re.compile(r"\\(.)")
_QUOTED: Final = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*+)\"")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


class InvalidInput(ValueError):
    """A file from outside that cannot be read: why, with the place in it, and what to do."""

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Given:
    """The value of a variable, and where it comes from: `--var`, `staging.vars:3`."""

    value: str
    origin: str


ReadEnvFile = Callable[[str], Mapping[str, str]]
"""Returns the variables of a file, whose name is relative to the `.mill` file. Raises InvalidInput."""


ReadFile = Callable[[str], str]
"""Returns the text of a file, whose name is relative to the `.mill` file. Raises InvalidInput."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is given to a file."""

    variables: Mapping[str, Given] = field(default_factory=lambda: MappingProxyType({}))
    """Every one of them must be declared by the file."""
    environment: Mapping[str, Given] = field(default_factory=lambda: MappingProxyType({}))
    """Values from environment variables, for variables that have no other one. Others need not be declared."""
    read_env_file: ReadEnvFile | None = None
    """None: files cannot be read here."""
    read_file: ReadFile | None = None
    """As above."""


NO_INPUTS: Final = Inputs()


class UnknownVariables(ValueError):
    """Values that were given for variables that the file does not declare."""

    def __init__(self, given: Mapping[str, Given], declared: tuple[str, ...]) -> None:
        super().__init__(", ".join(given))
        self.given = given
        self.declared = declared


def read_text(data: bytes, name: str, most: int) -> str:
    """Return the text of a file of at most `most` bytes. Raise InvalidInput, which never has a part of it."""
    if len(data) > most:
        raise InvalidInput(f"{name}: the file has more than {most:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{name}: the file is not UTF-8", "save it as UTF-8") from None
    if "\0" in text:
        raise InvalidInput(f"{name}: the file has a NUL character", "is this a text file?")
    return text


def read_assignments(data: bytes, name: str) -> dict[str, tuple[str, int]]:
    """Return the values of a file with a `NAME=value` on each line, with the number of the line.

    Blank lines and lines that begin with `#` are left out, and so is ` #` with what follows a value without quotes. In
    single quotes nothing has a special meaning; in double quotes a backslash escapes. `$` is text. Raise InvalidInput:
    its message has the place and never a value.
    """
    text = read_text(data, name, MAX_ENV_FILE_BYTES).removeprefix("\ufeff")
    found: dict[str, tuple[str, int]] = {}
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        place = f"{name}:{number}"
        match = _LINE.fullmatch(line)
        if match is None:
            raise InvalidInput(f"{place}: expected NAME=value", "write one NAME=value on each line")
        key = match[1]
        if not _ENV_NAME.fullmatch(key):
            raise InvalidInput(f"{place}: '{shown(key)}' is not a name", "use letters, digits, _, - and .")
        if key in found:
            raise InvalidInput(f"{place}: {shown(key)} is set twice, first in line {found[key][1]}", "set it once")
        found[key] = (_value(match[2], place), number)
        if len(found) > MAX_ENV:
            raise InvalidInput(f"{place}: more than {MAX_ENV} names")
    return found


def _value(text: str, place: str) -> str:
    value = _unquoted(text, place) if text[:1] in ("'", '"') else _COMMENT.split(text, maxsplit=1)[0].rstrip()
    if len(value) > MAX_TEXT:
        raise InvalidInput(f"{place}: a value of more than {MAX_TEXT} characters")
    return value


def _unquoted(text: str, place: str) -> str:
    match = _QUOTED.match(text)
    if match is None:
        raise InvalidInput(
            f"{place}: the quote is not closed", r"close it on the same line; \n in double quotes is a new line"
        )
    rest = text[match.end() :].strip()
    if rest and not rest.startswith("#"):
        raise InvalidInput(f"{place}: text after the closing quote", "put all of the value into the quotes")
    if match[1] is not None:
        return match[1]
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), match[2])
