"""`mill secret set` and `get`: the value, from where it is."""

import getpass
import sys
from pathlib import Path
from typing import Final

from mill_cli.connection.client import Gateway, path
from mill_cli.errors import CliError, Exit
from mill_cli.files import read_bounded
from mill_cli.options import Options
from mill_cli.output import screen

STDIN: Final = "-"
MAX_BYTES: Final = 1024 * 1024
"""Maximum bytes of all secrets of a namespace: the limit of a Secret of Kubernetes."""


def set_secret(options: Options, name: str, value: str | None, file: Path | None) -> None:
    """Set a secret to a value, to the content of a file, or to what standard input has. Raise `CliError`."""
    text = _read_value(name, value, file)
    with Gateway(options) as gateway:
        gateway.request("PUT", path("secrets", name), query=options.where, json={"value": text})
    if not options.quiet and not options.as_json:
        screen.note(f"secret {name} set")


def print_secret(options: Options, name: str) -> None:
    """Print the value of a secret. Raise `CliError`."""
    with Gateway(options) as gateway:
        found = gateway.get(path("secrets", name), **options.where)
    screen.out_json(found) if options.as_json else screen.out(found["value"])


def _read_value(name: str, value: str | None, file: Path | None) -> str:
    if file is not None and value is not None:
        raise CliError(Exit.USAGE, "the value is given twice", "give it as an argument or with --from-file")
    if value not in (None, STDIN):
        return str(value)
    if file is None and value is None and sys.stdin.isatty():
        return getpass.getpass(f"value of {name}: ")
    source = "standard input" if file is None else str(file)
    try:
        data = read_bounded(Path(STDIN) if file is None else file, MAX_BYTES)
    except OSError as error:
        raise CliError(Exit.FILE, f"{source}: {error.strerror}") from error
    if data is None:
        message = f"{source}: more than {MAX_BYTES:,} bytes"
        raise CliError(
            Exit.FILE, message, "all secrets of a namespace have at most that together", kind="file_too_large"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise CliError(
            Exit.FILE, f"{source}: not UTF-8 at byte {error.start}", "encode binary values as text, such as base64"
        ) from None
    return text.removesuffix("\n").removesuffix("\r")
