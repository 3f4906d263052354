"""`mill kill`: the end of a run that has not ended."""

from typing import Any

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import Refused
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line
from mill_cli.runs import has_ended, why, word


def stop_run(options: Options, run_id: str) -> None:
    """Stop a run, or report how it has ended already. Raise `CliError`."""
    route = path("tasks", run_id)
    with Gateway(options) as gateway:
        run = _read(gateway, route)
        if run is None or not has_ended(run):
            gateway.request("DELETE", route, query=options.where)
            run = None
    if options.quiet:
        return
    if run is None:
        screen.note(f"task {run_id} killed")  # as in the original, also with --json
        return
    cause = f": {why(run)}" if word(run) == "failed" and why(run) else ""
    screen.note(f"run {one_line(run_id)} has ended already: {word(run)}{cause}")


def _read(gateway: Gateway, route: str) -> dict[str, Any] | None:
    """Return a run; None for a caller that may only stop it, or if it does not exist."""
    try:
        run: dict[str, Any] = gateway.get(route, **gateway.options.where)
    except Refused:
        return None
    return run
