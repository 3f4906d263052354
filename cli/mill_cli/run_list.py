"""`mill ps`: the runs of tasks."""

from typing import Any

from mill_cli.connection.client import Gateway
from mill_cli.errors import CliError
from mill_cli.listing import print_names
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.run_table import ENDED_SHOWN, newest_first, run_table
from mill_cli.output.schedule_table import schedule_table
from mill_cli.runs import command, has_ended


def list_runs(options: Options, *, everything: bool) -> None:
    """Print the runs in progress and the newest of those that have ended, or all; with `--quiet` their ids.

    Raise `CliError`.
    """
    with Gateway(options) as gateway:
        runs, now = gateway.get_with_time("/v1/tasks", **options.query)
        schedules = [] if options.as_json or options.quiet else _schedules(gateway)
    if options.as_json:
        screen.out_json(runs)
        return
    listed = newest_first(runs)
    shown = listed if everything else listed[: sum(not has_ended(run) for run in listed) + ENDED_SHOWN]
    if options.quiet:
        print_names(run["id"] for run in shown)
        return
    screen.out(run_table(shown, now, screen.width()) if runs else "no running tasks")
    if left := len(listed) - len(shown):
        screen.note(f"{left} more that have ended: `{command(options, 'ps', '--all')}`")
    if schedules:
        screen.out(f"\nSCHEDULES\n{schedule_table(schedules, now, screen.width())}")


def _schedules(gateway: Gateway) -> list[Any]:
    """Return the tasks on a schedule; none if the gateway does not say."""
    try:
        found = gateway.get("/v1/status", **gateway.options.query).get("schedules")
    except (CliError, AttributeError):
        return []
    return found if isinstance(found, list) else []
