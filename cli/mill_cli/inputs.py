"""What a `.mill` file gets from outside: `--var`, `--vars`, variables of the environment, and files beside it."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from mill_cli.errors import CliError, Exit

if TYPE_CHECKING:  # a file without variables needs none of these
    from mill_language.inputs import Given, Inputs, UnknownVariables

PREFIX: Final = "MILL_VAR_"
"""The beginning of an environment variable that sets a variable of a file."""
_LINK: Final = "is a link"


@dataclass(frozen=True)
class FileInputs:
    """The options with which values are given to a file."""

    var: tuple[str, ...] = ()
    """Each is `NAME=VALUE`."""
    vars_files: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        """Whether any option is given."""
        return bool(self.var or self.vars_files)

    def read(self, folder: Path) -> "Inputs":
        """Return what a file in a folder gets: of `--vars` the later files win, and `--var` wins over all of them.

        Raise `CliError`.
        """
        from mill_language.inputs import Given, Inputs  # noqa: PLC0415 - most files are sent without parsing them

        variables: dict[str, Given] = {}
        for path in self.vars_files:
            variables |= _of_file(path)
        for each in self.var:
            name, equals, value = each.partition("=")
            if not equals or not name:
                raise CliError(Exit.USAGE, "--var takes NAME=VALUE", "write --var tag=2.1")
            variables[name] = Given(value, "--var")
        environment = {
            name.removeprefix(PREFIX): Given(value, name)
            for name, value in os.environ.items()
            if name.startswith(PREFIX)
        }
        return Inputs(variables, environment, partial(read_env_file, folder), partial(read_file, folder))


NOTHING: Final = FileInputs()


def unknown(error: "UnknownVariables", file_name: str) -> CliError:
    """Return the error for values of variables that a file does not declare."""
    from mill_language.diagnostics import did_you_mean  # noqa: PLC0415 - as above

    name, given = next(iter(error.given.items()))
    more = f" (and {len(error.given) - 1} more)" if len(error.given) > 1 else ""
    known = ", ".join(error.declared)
    advice = did_you_mean(name, error.declared) or (
        f"it declares {known}" if known else f'declare it: variable "{name}" {{ default = "…" }}'
    )
    return CliError(Exit.USAGE, f"{file_name} declares no variable '{name[:100]}' ({given.origin}){more}", advice)


def read_env_file(folder: Path, name: str) -> Mapping[str, str]:
    """Return the variables of a file in a folder or below. Raise `InvalidInput`, which never has a value."""
    from mill_language.inputs import MAX_ENV_FILE_BYTES, read_assignments  # noqa: PLC0415 - as above

    data = _read(folder, name, MAX_ENV_FILE_BYTES)
    return {key: value for key, (value, _) in read_assignments(data, name).items()}


def read_file(folder: Path, name: str) -> str:
    """Return the text of a file in a folder or below. Raise `InvalidInput`, which never has a part of it."""
    from mill_api.constraints import MAX_FILE_BYTES  # noqa: PLC0415 - as above
    from mill_language.inputs import read_text  # noqa: PLC0415 - as above

    return read_text(_read(folder, name, MAX_FILE_BYTES), name, MAX_FILE_BYTES)


def _read(folder: Path, name: str, most: int) -> bytes:
    """Return the bytes of a file in a folder or below, at most one more than `most`. Raise `InvalidInput`.

    Links are refused, and so is what is outside of the folder: a `.mill` file from another author must not send other
    files of this machine to a cluster.
    """
    from mill_language.inputs import InvalidInput  # noqa: PLC0415 - as above

    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or not name.isprintable():
        raise InvalidInput(f"'{name[:100]}' is not in the folder of the .mill file", "name a file there or below")
    path = folder
    for part in parts:
        path /= part
        if path.is_symlink():
            raise InvalidInput(f"{name}: {path.relative_to(folder)} {_LINK}", "name the file itself, or copy it")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidInput(f"{name}: is not a regular file")
            return file.read(most + 1)
    except OSError as error:
        raise InvalidInput(f"{name}: {(error.strerror or 'cannot be read').lower()}") from None


def _of_file(path: Path) -> "dict[str, Given]":
    from mill_language.inputs import (  # noqa: PLC0415 - as above
        MAX_ENV_FILE_BYTES,
        Given,
        InvalidInput,
        read_assignments,
    )

    try:
        with path.open("rb") as file:
            data = file.read(MAX_ENV_FILE_BYTES + 1)
    except OSError as error:
        raise CliError(Exit.FILE, f"{path}: {error.strerror}") from error
    try:
        found = read_assignments(data, str(path))
    except InvalidInput as error:
        raise CliError(Exit.FILE, str(error), *filter(None, [error.advice]), kind="invalid_vars_file") from error
    return {name: Given(value, f"{path}:{line}") for name, (value, line) in found.items()}
