"""The state of the cluster and of programs: `status`, `logs`."""

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.commands.log_tail import namespace_or_tail_option, sort_namespace_or_tail, tail_option
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options


@command()
def status(options: Options) -> None:
    """Show the status of services, tasks and nodes, followed by any problems."""
    from mill_cli.status import show_status

    show_status(options)


@command(without="-n", adapt=sort_namespace_or_tail)
@click.argument(
    "name",
    required=False,
    help="A service, a task, a run, or one replica (a pod).",
    shell_complete=completion.programs,
)
@click.option("--follow", "-f", is_flag=True, help="Stream new log lines as they are written.")
@tail_option
@namespace_or_tail_option
@click.option("--all", "everything", is_flag=True, help="Show logs of all services, prefixed with the service name.")
def logs(options: Options, name: str | None, *, follow: bool, tail: int | None, everything: bool) -> Exit:
    """Print the logs of a service, a task or a run.

    The lines of all replicas are printed together. --follow includes replicas that start later and containers that
    restart.
    """
    from mill_cli.logs import print_logs

    if name is None and not everything:
        raise CliError(Exit.USAGE, "a service or task name is required (or use --all)")
    return print_logs(options, None if everything else name, follow=follow, tail=tail)
