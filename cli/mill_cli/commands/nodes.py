"""Nodes: `nodes`, `drain`, `remove`."""

import click

from mill_cli.command import command
from mill_cli.commands.parameters import node_argument
from mill_cli.errors import Exit
from mill_cli.options import Options


@command()
def nodes(options: Options) -> None:
    """List nodes and their allocated resources."""
    from mill_cli.listing import show
    from mill_cli.output.columns import NODES

    show(options, "/v1/nodes", {}, NODES)


@command()
@node_argument
@click.option("--timeout", metavar="DURATION", help="Give up after this time. [default: 10m]")
def drain(options: Options, node: str, *, timeout: str | None) -> Exit:
    """Move all pods off a node and wait until it is empty.

    The drain respects PodDisruptionBudgets. It continues if this command ends; run the command again to follow it. The
    gateway needs MILL_DRAIN=true.
    """
    from mill_cli.drain import drain as run

    return run(options, node, timeout)


@command()
@node_argument
def remove(options: Options, node: str) -> None:
    """Remove an empty node from the cluster."""
    from mill_cli.deletion import delete

    delete(options, ("nodes", node), {}, f"node {node} removed", always=True)
