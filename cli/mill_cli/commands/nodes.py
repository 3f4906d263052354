"""Nodes: `nodes`, `drain`, `remove`."""

from typing import Final

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.errors import Exit
from mill_cli.options import Options

SECTION: Final = "Nodes"
node_argument = click.argument("node", help="Name of the node, as in `mill nodes`.", shell_complete=completion.nodes)


def add(app: click.Group) -> None:
    """Add these commands."""

    @command(app, section=SECTION)
    def nodes(options: Options) -> None:
        """List the cluster's nodes, and what is taken of them."""
        from mill_cli.listing import show
        from mill_cli.output.columns import NODES

        show(options, "/v1/nodes", {}, NODES)

    @command(app, section=SECTION)
    @node_argument
    @click.option("--timeout", metavar="DURATION", help="After what time to give up. [default: 10m]")
    def drain(options: Options, node: str, *, timeout: str | None) -> Exit:
        """Move everything away from a node, and follow that to its end.

        Disruption budgets are honoured. It goes on if this command ends, and the same command again joins it. The
        gateway needs MILL_DRAIN=true.
        """
        from mill_cli.drain import drain as follow

        return follow(options, node, timeout)

    @command(app, section=SECTION)
    @node_argument
    def remove(options: Options, node: str) -> None:
        """Take a node out of the cluster that nothing runs on any more."""
        from mill_cli.connection.client import path
        from mill_cli.deletion import delete

        delete(options, path("nodes", node), {}, f"node {node} removed", always=True)
