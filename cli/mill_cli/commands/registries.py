"""Registries: `registry login`, `list`, `logout`."""

from typing import Final

import click

from mill_cli import completion
from mill_cli.command import LazyCommand, command, group
from mill_cli.options import Options

_HERE: Final = "mill_cli.commands.registries"

registry = group(
    "registry",
    "Manage credentials of private registries.",
    [
        LazyCommand("login", f"{_HERE}:login", "Set the credentials of a registry, for the images of the namespace."),
        LazyCommand("list", f"{_HERE}:list_", "List the registries that have credentials, without the passwords."),
        LazyCommand("logout", f"{_HERE}:logout", "Remove the credentials of a registry."),
    ],
)


@command(private=True)
@click.argument("host", help="Host of the registry, such as ghcr.io.")
@click.option("--username", "-u", metavar="NAME", help="User; without it the command asks.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def login(options: Options, host: str, *, username: str | None, password_stdin: bool) -> None:
    """Set the credentials of a registry, for the images of the namespace.

    They are stored in the Kubernetes Secret mill-registries. Services and tasks with `pull = "mill-registries"` use
    them, or all of them where the operator is set up so. The password is asked for, or read from a pipe; it is not
    tried. Nothing is kept on this machine.

    \b
    Examples:
      mill registry login ghcr.io -u shop-ci
      echo "$TOKEN" | mill registry login ghcr.io -u shop-ci --password-stdin
    """
    from mill_cli.registries import login as run

    run(options, host, username, from_stdin=password_stdin)


@command("list")
def list_(options: Options) -> None:
    """List the registries that have credentials, without the passwords."""
    from mill_cli.listing import show
    from mill_cli.output.columns import REGISTRIES

    show(options, "/v1/registries", options.where, REGISTRIES)


@command()
@click.argument("host", help="Host of the registry.", shell_complete=completion.registries)
def logout(options: Options, host: str) -> None:
    """Remove the credentials of a registry. Nodes keep the images that they have."""
    from mill_cli.registries import logout as run

    run(options, host)
