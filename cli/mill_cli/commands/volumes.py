"""Volumes: `volume list`, `delete`."""

from typing import Final

import click

from mill_cli import completion
from mill_cli.command import LazyCommand, command, group
from mill_cli.options import Options

_HERE: Final = "mill_cli.commands.volumes"

volume = group(
    "volume",
    "Manage persistent volumes.",
    [
        LazyCommand("list", f"{_HERE}:list_", "List the persistent volumes."),
        LazyCommand("delete", f"{_HERE}:delete_", "Delete an unused volume and its data."),
    ],
)


@command("list")
def list_(options: Options) -> None:
    """List the persistent volumes."""
    from mill_cli.listing import show
    from mill_cli.output.columns import VOLUMES

    show(options, "/v1/volumes", options.query, VOLUMES)


@command("delete")
@click.argument("name", help="Name of the volume.", shell_complete=completion.volumes)
def delete_(options: Options, name: str) -> None:
    """Delete an unused volume and its data."""
    from mill_cli.deletion import delete

    delete(options, ("volumes", name), options.where, f"volume {name} deleted")
