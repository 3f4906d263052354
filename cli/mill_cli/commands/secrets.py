"""Secrets: `secret set`, `get`, `list`, `delete`."""

import sys
from pathlib import Path
from typing import Final

import click

from mill_cli import completion
from mill_cli.command import command, group
from mill_cli.errors import CliError, Exit
from mill_cli.files import MAX_BYTES, read_bounded
from mill_cli.options import Options

STDIN: Final = "-"
name_argument = click.argument("name", help="Name of the secret.", shell_complete=completion.secrets)


def add(app: click.Group) -> None:
    """Add these commands."""
    secret = group(app, "secret", "Values that ${secret(NAME)} stands for: set, get, list, delete.", "Data")

    @command(secret, "set", private=True)
    @name_argument
    @click.argument("value", required=False, help="The value; - or nothing: from standard input.")
    @click.option("--from-file", metavar="FILE", type=click.Path(path_type=Path), help="Take the value from a file.")
    def set_(options: Options, name: str, value: str | None, *, from_file: Path | None) -> None:
        """Set a secret. Services have the value when they start next: `mill restart SERVICE`.

        What is in a command line stays in the shell's history, so a value is better typed when asked for, piped in, or
        in a file; one newline at its end is not part of it. After `--`, a value may begin with a dash.
        """
        from mill_cli.connection.client import Gateway, path
        from mill_cli.output import screen

        text = _value(name, value, from_file)
        with Gateway(options) as gateway:
            gateway.request("PUT", path("secrets", name), query=options.where, json={"value": text})
        if not options.as_json:
            screen.note(f"secret {name} set")

    @command(secret)
    @name_argument
    def get(options: Options, name: str) -> None:
        """Print a secret's value."""
        from mill_cli.connection.client import Gateway, path
        from mill_cli.output import screen

        with Gateway(options) as gateway:
            found = gateway.get(path("secrets", name), **options.where)
        screen.out_json(found) if options.as_json else screen.out(found["value"])

    @command(secret, "list")
    def list_(options: Options) -> None:
        """List the names of the secrets."""
        from mill_cli.listing import show
        from mill_cli.output.columns import SECRETS

        show(options, "/v1/secrets", options.where, SECRETS)

    @command(secret, "delete")
    @name_argument
    def delete_(options: Options, name: str) -> None:
        """Delete a secret. What runs keeps the value until it starts anew, and then fails without it."""
        from mill_cli.connection.client import path
        from mill_cli.deletion import delete

        delete(options, path("secrets", name), options.where, f"secret {name} deleted")


def _value(name: str, value: str | None, file: Path | None) -> str:
    """Return the value from where it is. Raise `CliError`."""
    if file is not None and value is not None:
        raise CliError(Exit.USAGE, "the value is given twice", "give it as an argument, or with --from-file")
    if value not in (None, STDIN):
        return str(value)
    if file is None and value is None and sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"value of {name}: ")
    source = "standard input" if file is None else str(file)
    try:
        data = read_bounded(Path(STDIN) if file is None else file, MAX_BYTES)
    except OSError as error:
        raise CliError(Exit.FILE, f"{source}: {error.strerror} (os error {error.errno})") from error
    if data is None:
        raise CliError(Exit.FILE, f"{source}: more than {MAX_BYTES:,} bytes", "a secret has at most a megabyte")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise CliError(Exit.FILE, f"{source}: not UTF-8 at byte {error.start}", "a secret is text: encode it") from None
    return text.removesuffix("\n").removesuffix("\r")
