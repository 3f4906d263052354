"""The token: as it was given, or from a file."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mill_cli.errors import CliError, Exit
from mill_cli.options import Options, is_token

LONGEST: Final = 64 * 1024
"""Bytes of a file with a token: what a gateway takes as headers."""


def read_token(options: Options, warn: Callable[[str], None] | None) -> str | None:
    """Return the token; `warn` takes what is told of a file that others can read. Raise `CliError`."""
    if options.token or options.token_file is None:
        return options.token
    path = options.token_file
    try:
        with path.open("rb") as file:
            data, status = file.read(LONGEST + 1), os.fstat(file.fileno())
    except OSError as error:
        raise CliError(Exit.FILE, f"{path}: {error.strerror} (os error {error.errno})") from error
    token = data.decode(errors="replace").strip()
    if len(data) > LONGEST or not is_token(token):  # without a word of what is in it
        raise CliError(Exit.FILE, f"{path}: this is no token", "the file has one token, in one line")
    if warn is not None and (told := _readable(path, status)) is not None:
        warn(told)
    return token


def _readable(path: Path, status: os.stat_result) -> str | None:
    """Return what to tell of a file of this user's that others can read; a file of another's is theirs to keep."""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or not mode & 0o077:
        return None
    return f"warning: others can read the token in {path} (mode {mode:04o})\n  help: chmod 600 {path}"
