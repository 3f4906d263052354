"""Commands of the original mill for its own daemons, which have no meaning in Kubernetes: `init`, `join`, `leave`."""

import click

from mill_cli.errors import CliError, Exit


def _unsupported(name: str, message: str, *advice: str) -> click.Command:
    """Make a command that takes any arguments and fails with a message that says what to do instead."""

    @click.command(
        name,
        hidden=True,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def refuse() -> None:
        raise CliError(Exit.USAGE, message, *advice)

    return refuse


init = _unsupported(
    "init",
    "there is no cluster to initialize: mill runs in an existing Kubernetes cluster",
    "see docs/install.md for how to install mill in a cluster",
    "`mill status --context NAME` checks whether mill is installed",
)
join = _unsupported(
    "join",
    "nodes join the Kubernetes cluster, and mill uses them",
    "add a node with `kubeadm join`, or as your provider documents it",
    "`mill nodes` lists the nodes of the cluster",
)
leave = _unsupported(
    "leave",
    "nodes leave the Kubernetes cluster, not mill",
    "`mill drain NODE` moves all pods off a node, `mill remove NODE` removes it",
)
