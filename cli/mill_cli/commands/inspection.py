"""The state of the cluster and of programs: `status`, `logs`."""

import os
from typing import Any

import click

from mill_cli import completion
from mill_cli.command import command
from mill_cli.commands.durations import Duration
from mill_cli.commands.log_tail import namespace_or_tail_option, sort_namespace_or_tail, tail_option
from mill_cli.commands.patterns import Pattern
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options


@command()
@click.option("--all-namespaces", "-A", is_flag=True, help="Show all namespaces that you may list.")
@click.option("--watch", "-w", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 or 3 unless everything is healthy.")
def status(options: Options, *, all_namespaces: bool, watch: bool, exit_code: bool) -> Exit:
    """Show the status of services, tasks and nodes, followed by any problems.

    SERVING counts the ready pods of any version, UPDATED those of the newest one. RESTARTS counts those of the pods
    that exist, AGE is that of the oldest pod, CHANGED the time since the state changed. On a terminal --watch draws the
    status in place, elsewhere it prints the status whenever it has changed.

    \b
    Exit codes with --exit-code:
      0  all services are healthy
      1  a service has failed, or a spec was refused; also if the request fails
      2  no connection to the gateway, or wrong usage
      3  nothing has failed; a service is suspect or starting, or a rollout is in progress
    """
    if all_namespaces and options.namespace and not os.environ.get("MILL_NAMESPACE"):
        raise CliError(Exit.USAGE, "--all-namespaces and --namespace exclude each other", "give one of them")
    if watch and exit_code:
        advice = "use `mill watch` to follow a rollout to its end; its exit code is the result"
        raise CliError(Exit.USAGE, "--watch and --exit-code exclude each other", advice)
    if watch:
        from mill_cli.status_watch import watch_status

        watch_status(options, all_namespaces=all_namespaces)
    from mill_cli.status import show_status

    return show_status(options, all_namespaces=all_namespaces, exit_code=exit_code)


@command(without="-n", adapt=sort_namespace_or_tail)
@click.argument(
    "name",
    required=False,
    help="A service, a task, a run, or one replica (a pod).",
    shell_complete=completion.programs,
)
@click.option("--follow", "-f", is_flag=True, help="Stream new log lines as they are written.")
@click.option("--wait", "-w", is_flag=True, help="Print the log of a run until it ends, and exit with its exit code.")
@tail_option
@namespace_or_tail_option
@click.option("--since", metavar="DURATION", type=Duration(), help="Only lines of this time until now, such as 10m.")
@click.option("--previous", "-p", is_flag=True, help="Only lines from before the last restart of each container.")
@click.option(
    "--grep",
    metavar="PATTERN",
    type=Pattern(),
    help="Only lines with a match of this regular expression; (?i) at its beginning ignores case.",
)
@click.option(
    "--prefix/--no-prefix",
    default=None,
    help="Whether the name of its pod stands before each line. [default: on a terminal]",
)
@click.option("--all", "everything", is_flag=True, help="Show logs of all services, prefixed with the service name.")
def logs(options: Options, name: str | None, *, everything: bool, wait: bool, **lines: Any) -> Exit:
    """Print the logs of a service, a task or a run.

    The lines of all replicas are printed together. --follow includes replicas that start later and containers that
    restart. On a terminal each line begins with the name of its pod, in a color of its own; elsewhere it is what the
    program wrote, unless --prefix or --all is given. After a restart the lines before it fill up the tail.

    --wait is for one run: `mill spawn --wait` that was interrupted is continued by it, with the same exit codes.

    With --since or --grep and without --tail, all lines since then, or the last 10,000 lines of each replica, are
    searched.

    \b
    Examples:
      mill logs web --follow --since 10m
      mill logs web --previous --tail 50
      mill logs --all --grep 'ERROR|timeout'
      mill logs migrate-11cc64ba --wait
    """
    from mill_cli.logs import LogRequest, print_logs

    if name is None and not everything:
        raise CliError(Exit.USAGE, "a service or task name is required (or use --all)")
    if lines["previous"] and lines["follow"]:
        raise CliError(Exit.USAGE, "--previous and --follow exclude each other", "give one of them")
    if wait:
        from mill_cli.run_following import wait_for_run

        if name is None or everything or any(value not in (None, False) for value in lines.values()):
            message = "--wait takes the name of a run, and no other option of `mill logs`"
            raise CliError(Exit.USAGE, message, "`mill ps` lists the runs")
        return wait_for_run(options, name)
    return print_logs(options, LogRequest(None if everything else name, **lines))
