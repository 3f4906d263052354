"""`mill spawn`: one run of a task or of an image."""

from typing import Any

from mill_cli.connection.client import Gateway
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line


def spawn(options: Options, body: dict[str, Any]) -> None:
    """Start a run and print it. `body` is that of `POST /v1/tasks/spawn`. Raise `CliError`."""
    with Gateway(options) as gateway:
        run = gateway.request("POST", "/v1/tasks/spawn", query=options.query, json=body)
    if options.as_json:
        screen.out_json(run)
        return
    if options.quiet:  # what a script needs for `mill logs` and `mill kill`
        screen.out(one_line(str(run["id"])))
        return
    screen.out(f"  id:      {one_line(str(run['id']))}")
    if run.get("address") is not None:
        screen.out(f"  address: {one_line(str(run['address']))}")
    screen.out(f"  status:  {one_line(str(run['status']))}")
