"""Deletion of one object, with a confirmation."""

from mill_cli.connection.client import Gateway, path
from mill_cli.options import Options
from mill_cli.output import screen


def delete(
    options: Options, parts: tuple[str, ...], query: dict[str, str], confirmation: str, *, always: bool = False
) -> None:
    """Delete the object at the path of `parts` and print the confirmation. Raise `CliError`.

    `always`: also with `--json`, as the original does for runs and nodes.
    """
    with Gateway(options) as gateway:
        gateway.request("DELETE", path(*parts), query=query)
    if not options.quiet and (always or not options.as_json):
        screen.note(confirmation)
