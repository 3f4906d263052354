"""Settings of a program: fields of a frozen dataclass, each with its default, its reader and its explanation.

That dataclass is the one table of a program's settings. The field `workers` is set by `MILL_WORKERS` or by `--workers`,
which wins; `load` reads both and reports all problems at once, `table` writes the documentation. A setting that was
renamed keeps its former names for one release: they work, `load` warns of them, and no documentation shows them.
"""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import Any, TypeVar

from mill_api.durations import InvalidDuration, format_timedelta, parse_duration, to_timedelta

S = TypeVar("S")
T = TypeVar("T")

PREFIX = "MILL_"

Reader = Callable[[str], T]
"""Makes a value of a text. Raises ValueError that says what is allowed."""


class SettingsError(ValueError):
    """All that is wrong with the settings, a line each."""


def setting(
    default: T, read: Reader[T], explanation: str, *, shown: str | None = None, former_names: Sequence[str] = ()
) -> T:
    """Return a dataclass field.

    `shown` is the default as documentation has it, where it is not the value itself. `former_names` are the field names
    that the setting had in the release before, newest first: their variables and flags still work.
    """
    metadata = {
        "read": read,
        "explanation": explanation,
        "shown": shown or _text(default),
        "former_names": tuple(former_names),
    }
    field: T = dataclasses.field(default=default, metadata=metadata)
    return field


def text(value: str) -> str:
    """Read a text that is not empty."""
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def words(value: str) -> tuple[str, ...]:
    """Read one or more words, separated by commas."""
    found = tuple(each.strip() for each in value.split(",") if each.strip())
    if not found:
        raise ValueError("must not be empty")
    return found


def switch(value: str) -> bool:
    """Read yes or no."""
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if value.lower() not in words:
        raise ValueError("must be true or false")
    return words[value.lower()]


def number(minimum: int, maximum: int) -> Reader[int]:
    """Read a whole number in a range."""

    def read(value: str) -> int:
        if not value.isdecimal() or not minimum <= int(value) <= maximum:
            raise ValueError(f"must be a number from {minimum} to {maximum}")
        return int(value)

    return read


def duration(minimum: timedelta, maximum: timedelta) -> Reader[timedelta]:
    """Read a duration in a range, as `.mill` files write it: `10s`, `1m 30s`, and `0`."""
    refusal = f"must be a duration from {_text(minimum)} to {_text(maximum)}, such as 10s or 1m30s"

    def read(value: str) -> timedelta:
        try:
            found = to_timedelta(parse_duration(value.strip()))
        except InvalidDuration:
            raise ValueError(refusal) from None
        if not minimum <= found <= maximum:
            raise ValueError(refusal)
        return found

    return read


def choice(*choices: str) -> Reader[str]:
    """Read one of some words, in upper or lower case; the spelling given here counts."""

    def read(value: str) -> str:
        for each in choices:
            if value.lower() == each.lower():
                return each
        raise ValueError(f"must be one of {', '.join(choices)}")

    return read


def load(
    kind: type[S],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    program: str,
    about: str,
    warn: Callable[[str], None] = lambda _: None,
) -> S:
    """Read the settings. Raise `SettingsError` with every problem.

    An empty variable counts as one that is not set: this is how charts and shells leave something out. `warn` gets one
    message for each former name in use. It never gets a value, which may be a secret.
    """
    flags = vars(_parser(kind, program, about).parse_args(arguments))
    values: dict[str, Any] = {}
    problems = []
    for field in _fields(kind):
        given = _given(field, flags, environment)
        for former in given[1:]:
            warn(_former_name_warning(field, former.name, ignored=True))
        if not given:
            continue
        chosen = given[0]
        if chosen.is_former:
            warn(_former_name_warning(field, chosen.name, ignored=False))
        try:
            values[field.name] = field.metadata["read"](chosen.value)
        except ValueError as error:
            problems.append(f"{chosen.name}={chosen.value}: {error}")
    if problems:
        raise SettingsError("\n".join(problems))
    return kind(**values)


def table(kind: type[Any]) -> str:
    """Return the settings as a table in Markdown."""
    rows = ["| variable | flag | default | |", "|---|---|---|---|"]
    for field in _fields(kind):
        explanation = str(field.metadata["explanation"]).replace("|", "\\|")
        rows.append(f"| `{variable(field.name)}` | `{flag(field.name)}` | {field.metadata['shown']} | {explanation} |")
    return "\n".join(rows) + "\n"


def variable(name: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + name.upper()


def flag(name: str) -> str:
    """Return the command line's flag of a field."""
    return "--" + name.replace("_", "-")


@dataclasses.dataclass(frozen=True, slots=True)
class _Given:
    """A value of a setting as it was given, and the name of the flag or variable that gave it."""

    name: str
    value: str
    is_former: bool


def _given(field: dataclasses.Field[Any], flags: Mapping[str, str | None], env: Mapping[str, str]) -> list[_Given]:
    """Return the value that counts, and after it the values under former names that it overrides."""
    names = [field.name, *field.metadata["former_names"]]
    found = [(flag(name), flags[name], name) for name in names]
    found += [(variable(name), env.get(variable(name)) or None, name) for name in names]
    given = [_Given(shown, value, name != field.name) for shown, value, name in found if value is not None]
    return [each for position, each in enumerate(given) if position == 0 or each.is_former]


def _former_name_warning(field: dataclasses.Field[Any], former: str, *, ignored: bool) -> str:
    """Return the warning about a former name. The new name is of the same kind: a flag or a variable."""
    name = (flag if former.startswith("--") else variable)(field.name)
    state = "is ignored, because the setting is given twice" if ignored else "will stop working in the next release"
    return f"{former} is now {name}; the former name {state}"


def _parser(kind: type[Any], program: str, about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description=about, epilog="A flag wins over its variable.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"{program} {version('mill-kubernetes')}")
    for field in _fields(kind):
        explanation = f"{field.metadata['explanation']} [{variable(field.name)}; default: {field.metadata['shown']}]"
        optional: dict[str, Any] = (
            {"nargs": "?", "const": "true"} if field.metadata["read"] is switch else {}
        )  # a switch may stand alone
        parser.add_argument(
            flag(field.name), dest=field.name, metavar="VALUE", help=explanation.replace("%", "%%"), **optional
        )
        for former in field.metadata["former_names"]:
            parser.add_argument(flag(former), dest=former, help=argparse.SUPPRESS, **optional)
    return parser


def _fields(kind: type[Any]) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(kind) if "read" in field.metadata]


def _text(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, timedelta):
        return format_timedelta(default)
    return "" if default is None else str(default)
