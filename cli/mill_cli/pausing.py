"""`mill pause` and `mill resume`: whether the operator acts on a deployment."""

from mill_cli.connection.client import Gateway, path
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line


def pause(options: Options) -> None:
    """Pause the deployment. Raise `CliError`."""
    _set(options, "pause", "paused {}: deploys are accepted and wait; `mill resume` goes on")


def resume(options: Options) -> None:
    """Resume the deployment. Raise `CliError`."""
    _set(options, "resume", "resumed {}: `mill watch` follows what was waiting")


def _set(options: Options, action: str, text: str) -> None:
    with Gateway(options) as gateway:
        found = gateway.request("POST", path("deployments", options.deployment, action), query=options.where)
    if options.as_json:
        screen.out_json(found)
        return
    if options.quiet:
        return
    screen.note(text.format(one_line(f"{found['namespace']}/{found['name']}")))
    if found.get("owner"):
        owner = one_line(str(found["owner"]))
        screen.note(f"{owner} manages it: what Git says of the annotation mill.dev/paused wins at the next sync")
