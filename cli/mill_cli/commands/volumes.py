"""Volumes: `volume list`, `delete`."""

import click

from mill_cli import completion
from mill_cli.command import command, group
from mill_cli.options import Options


def add(app: click.Group) -> None:
    """Add these commands."""
    volume = group(app, "volume", "Data that outlives services: list, delete.", "Data")

    @command(volume, "list")
    def list_(options: Options) -> None:
        """List the persistent volumes."""
        from mill_cli.listing import show
        from mill_cli.output.columns import VOLUMES

        show(options, "/v1/volumes", options.query, VOLUMES)

    @command(volume, "delete")
    @click.argument("name", help="Name of the volume.", shell_complete=completion.volumes)
    def delete_(options: Options, name: str) -> None:
        """Delete a volume that nothing mounts, and its data."""
        from mill_cli.connection.client import path
        from mill_cli.deletion import delete

        delete(options, path("volumes", name), options.where, f"volume {name} deleted")
