"""Deletion of one object, with a confirmation."""

from mill_cli.connection.client import Gateway
from mill_cli.options import Options
from mill_cli.output import screen


def delete(options: Options, path: str, query: dict[str, str], done: str, *, always: bool = False) -> None:
    """Delete something, and tell the person; `always`: with `--json`, too, as the original does of some things."""
    with Gateway(options) as gateway:
        gateway.request("DELETE", path, query=query)
    if always or not options.as_json:
        screen.note(done)
