"""`mill fmt`: files in the canonical layout of the language."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mill_cli import files
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_language import InvalidConfig
from mill_language.formatter import format_file


def fmt(options: Options, paths: Sequence[Path], *, check: bool) -> Exit:
    """Write files in their layout, standard input to standard output; or print which ones have another layout.

    All are read before the first is written. Raise `CliError`.
    """
    result = Exit.SUCCESS
    for path, file in [(path, _read(path)) for path in dict.fromkeys(paths)]:
        try:
            formatted = format_file(file.text, filename=file.name)
        except InvalidConfig as error:
            _print_problems(options, file, error)
            result = Exit.FAILED
            continue
        is_changed = formatted != file.text
        if check:
            result = Exit.FAILED if is_changed else result
        elif path == files.STDIN:
            sys.stdout.buffer.write(formatted)
            sys.stdout.buffer.flush()
            continue
        elif is_changed:
            _write(path, formatted)
        _print_result(options, file, is_changed=is_changed, check=check)
    return result


def _read(path: Path) -> files.File:
    file = files.read(path)
    if file.is_resource:
        raise CliError(
            Exit.USAGE,
            f"{files.legible(file.name)} is no .mill file",
            "name .mill files; `mill render FILE -o mill` prints a MillDeployment as one",
        )
    return file


def _print_problems(options: Options, file: files.File, error: InvalidConfig) -> None:
    if options.as_json:
        for each in error.diagnostics:
            screen.out_json(each.to_json())
        return
    colored = screen.colored_errors()
    screen.note(files.shown(error, file, color=colored), painted=colored)


def _print_result(options: Options, file: files.File, *, is_changed: bool, check: bool) -> None:
    if options.as_json:
        screen.out_json({"filename": file.name, "changed": is_changed})
    elif is_changed and (check or not options.quiet):
        screen.out(files.legible(file.name))


def _write(path: Path, data: bytes) -> None:
    """Replace the content of a file at once, and keep its mode. The file that a link leads to is replaced."""
    path = path.resolve()
    if not path.is_file():
        raise CliError(Exit.FILE, f"{path}: not a regular file", "give its content to `mill fmt -`")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        new = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            new.chmod(path.stat().st_mode & 0o7777)
            new.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
    except OSError as error:
        raise CliError(Exit.FILE, f"{path}: cannot be written: {error.strerror}") from error
