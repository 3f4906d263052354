"""Secrets: `secret set`, `get`, `list`, `delete`."""

from pathlib import Path
from typing import Final

import click

from mill_cli import completion
from mill_cli.command import LazyCommand, command, group
from mill_cli.options import Options

_HERE: Final = "mill_cli.commands.secrets"

secret = group(
    "secret",
    "Manage the values that ${secret(NAME)} refers to.",
    [
        LazyCommand("set", f"{_HERE}:set_", "Set a secret."),
        LazyCommand("get", f"{_HERE}:get", "Print the value of a secret."),
        LazyCommand("list", f"{_HERE}:list_", "List the names of the secrets."),
        LazyCommand("delete", f"{_HERE}:delete_", "Delete a secret."),
    ],
)
name_argument = click.argument("name", help="Name of the secret.", shell_complete=completion.secrets)


@command("set", private=True)
@name_argument
@click.argument("value", required=False, help="The value; - or nothing reads it from standard input.")
@click.option("--from-file", metavar="FILE", type=click.Path(path_type=Path), help="Read the value from a file.")
def set_(options: Options, name: str, value: str | None, *, from_file: Path | None) -> None:
    """Set a secret.

    Services use the new value when they next start: `mill restart SERVICE`. Shells keep command lines in their
    history, so prefer the prompt, a pipe or a file; one newline at the end is not part of the value. After `--`, a
    value may begin with a dash.
    """
    from mill_cli.secrets import set_secret

    set_secret(options, name, value, from_file)


@command()
@name_argument
def get(options: Options, name: str) -> None:
    """Print the value of a secret."""
    from mill_cli.secrets import print_secret

    print_secret(options, name)


@command("list")
def list_(options: Options) -> None:
    """List the names of the secrets."""
    from mill_cli.listing import show
    from mill_cli.output.columns import SECRETS

    show(options, "/v1/secrets", options.where, SECRETS)


@command("delete")
@name_argument
def delete_(options: Options, name: str) -> None:
    """Delete a secret.

    Running services keep the value until they restart, and then fail without it.
    """
    from mill_cli.deletion import delete

    delete(options, ("secrets", name), options.where, f"secret {name} deleted")
