"""The token, from an option, a variable or a file."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mill_cli.errors import CliError, Exit
from mill_cli.options import Options, is_token

LONGEST: Final = 64 * 1024
"""Maximum bytes of a file with a token: the gateway's limit for headers."""


def read_token(options: Options, warn: Callable[[str], None] | None) -> str | None:
    """Return the token. `warn` gets the warning about a file that others can read. Raise `CliError`."""
    if options.token or options.token_file is None:
        return options.token
    path = options.token_file
    try:
        with path.open("rb") as file:
            data, status = file.read(LONGEST + 1), os.fstat(file.fileno())
    except OSError as error:
        raise CliError(Exit.FILE, f"{path}: {error.strerror}") from error
    token = data.decode(errors="replace").strip()
    if len(data) > LONGEST or not is_token(token):  # the message must not have the content
        raise CliError(Exit.FILE, f"{path}: not a token", "write one token to the file, on one line")
    if warn is not None and (warning := _exposed_file(path, status)) is not None:
        warn(warning)
    return token


def _exposed_file(path: Path, status: os.stat_result) -> str | None:
    """Return the warning about a file of this user that others can read; None for files of other users."""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or not mode & 0o077:
        return None
    return f"warning: others can read the token in {path} (mode {mode:04o})\n  help: chmod 600 {path}"
