"""What there is: `status`, `logs`."""

from typing import Final

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options

SECTION: Final = "Look"
COUNT: Final = click.IntRange(0)
COUNT.name = "integer"


def add(app: click.Group) -> None:
    """Add these commands."""

    @command(app, section=SECTION)
    def status(options: Options) -> None:
        """Show services, tasks and nodes, and below them what is wrong."""
        from mill_cli.connection.client import Gateway
        from mill_cli.output import screen
        from mill_cli.output.overview import overview
        from mill_cli.status import read_status

        with Gateway(options) as gateway:
            found = read_status(gateway)
        if options.as_json:
            screen.out_json(found)
        else:
            screen.out(overview(found, screen.width()))

    @command(app, section=SECTION, without="-n")
    @click.argument(
        "name",
        required=False,
        help="A service, a task, a run, or one replica (a pod).",
        shell_complete=completion.programs,
    )
    @click.option("--follow", "-f", is_flag=True, help="Go on with what is written.")
    @click.option("--tail", "-n", metavar="N", type=COUNT, help="Last lines of each replica. [default: 200]")
    @click.option("--all", "everything", is_flag=True, help="Of all services, each line with its service's name.")
    def logs(options: Options, name: str | None, *, follow: bool, tail: int | None, everything: bool) -> Exit:
        """Print what programs write, of all replicas together.

        With --follow, replicas that come later and containers that start anew, too. Here -n is --tail, as in the
        original mill.
        """
        from mill_cli.logs import print_logs

        if name is None and not everything:
            raise CliError(Exit.USAGE, "a service or task name is required (or use --all)")
        return print_logs(options, None if everything else name, follow=follow, tail=tail)
